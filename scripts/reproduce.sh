#!/usr/bin/env bash
# usage: scripts/reproduce.sh [--list | --dry-run] [--cohort PROGRAM] [--data DIRECTORY] [--python PYTHON] [PATTERN...]
#
# Makes the tables of docs/results.md again: all rows, or those whose name or table has one of the patterns in it.
# --list shows the rows with the seconds that each is expected to take on two idle cores, those that no table says as
# orders of magnitude; --dry-run shows their commands. Data and modules of Python that a row needs and that are not there
# are said, and the next row is made. What a row says is printed and kept in build/reproduce/ROW.log. The exit status is
# 1 where a row failed. Columns "before" are those of older programs, which are not built here.
set -euo pipefail
source "$(dirname "$0")/common.sh"

cohort=${COHORT:-build/release/cohort}
data=${COHORT_SHARED_DATA:-../shared/data}
python=/usr/bin/python3
mode=run
patterns=()
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) help && exit ;;
    --list) mode=list ;;
    --dry-run) mode=dry-run ;;
    --cohort | --data | --python)
      [ $# -gt 1 ] || fail "$1 needs a value; see scripts/reproduce.sh --help"
      declare "${1#--}=$2"
      shift
      ;;
    -*) fail "unknown argument $1; see scripts/reproduce.sh --help" ;;
    *) patterns+=("$1") ;;
  esac
  shift
done
out=build/reproduce
export COHORT="$cohort" cohort data python out OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"

wanted() {
  [ ${#patterns[@]} -gt 0 ] || return 0
  local pattern
  for pattern in "${patterns[@]}"; do
    if [[ "${1,,} ${2,,}" == *"${pattern,,}"* ]]; then return 0; fi
  done
  return 1
}

# What is missing of the words: a path below $data, or module:NAME of $python.
missing() {
  local need found=""
  for need in $1; do
    case $need in
      module:*) "$python" -c "import ${need#module:}" 2>/dev/null || found+=" Python's ${need#module:}" ;;
      *) [ -e "$data/$need" ] || found+=" $need" ;;
    esac
  done
  echo "$found"
}

made=0
absent=0
failed=0
found=0

# row NAME SECONDS TABLE NEEDS COMMAND: TABLE is the heading in docs/results.md.
row() {
  local name=$1 seconds=$2 table=$3 needs=$4 command=$5 lacks start
  wanted "$name" "$table" || return 0
  found=$((found + 1))
  case $mode in
    list)
      printf '%-18s %6s s  %s\n' "$name" "$seconds" "$table"
      return
      ;;
    dry-run)
      printf '# %s: %s\n%s\n' "$name" "$table" "$command"
      return
      ;;
  esac
  lacks=$(missing "$needs")
  if [ -n "$lacks" ]; then
    say "$name: left out, not there:$lacks"
    absent=$((absent + 1))
    return
  fi
  say "$name ($table), about $seconds s"
  mkdir -p "$out"
  start=$SECONDS
  if bash -euo pipefail -c "$command" 2>"$out/$name.err" </dev/null | tee "$out/$name.log"; then
    made=$((made + 1))
    say "$name: $((SECONDS - start)) s"
  else
    tail -n 5 "$out/$name.err" >&2
    say "$name: FAILED after $((SECONDS - start)) s (log: $out/$name.err)"
    failed=$((failed + 1))
  fi
}

lastfm_split='printf "[input]\ninteractions = \"%s\"\ntest = \"%s\"\n[recommend]\nstrategy = \"personal\"\n[segment]\ncount = 8\n" \
  "$(realpath $data/lastfm/lightgcn-split/data1.txt.gz)" "$(realpath $data/lastfm/lightgcn-split/test1.txt)" >$out/lastfm-split.toml'
real_ml='printf "[input]\ninteractions = \"%s\"\nitem_attributes = \"%s\"\nuser_attributes = \"%s\"\nholdout = 0.2\n[segment]\ncount = 8\n" \
  "$(realpath $data/ml-100k/ml-100k.inter.gz)" "$(realpath $data/ml-100k/ml-100k.item)" "$(realpath $data/ml-100k/ml-100k.user)" >$out/ml-100k.toml'
real_lastfm='printf "[input]\ninteractions = \"%s\"\nsocial = \"%s\"\nitem_attributes = \"%s\"\nholdout = 0.2\n[segment]\ncount = 8\n" \
  "$(realpath $data/lastfm/lastfm.inter.gz)" "$(realpath $data/lastfm/lastfm.net)" "$(realpath $data/lastfm/lastfm.item.gz)" >$out/lastfm.toml'
cora='printf "[input]\nsocial = \"%s\"\nuser_features = \"%s\"\n[segment]\ncount = 7\n" \
  "$(realpath $data/cora/edges.txt)" "$(realpath $data/cora/features.npy)" >$out/cora.toml'
fixed='--set train.temperature=0.12 --set train.pair_weight=degree --set train.length_power=0.25'
bpr='--set train.loss=bpr --set recommend.strategy=blend --set model.layers=3'
ml_needs="ml-100k/ml-100k.inter.gz ml-100k/ml-100k.item ml-100k/ml-100k.user"
lastfm_needs="lastfm/lastfm.inter.gz lastfm/lastfm.net lastfm/lastfm.item.gz"
cora_needs="cora/edges.txt cora/features.npy cora/labels.txt"

row pytorch 10000 "Beside PyTorch" "lastfm/lightgcn-split gowalla/train.txt.gz module:torch module:numpy" \
  '$python tests/peer/compare.py --python $python --cohort $cohort'

row cora 120 "A network with features: Cora" "$cora_needs" \
  "$cora"'
for seed in 42 1 2 3 4; do
  $cohort run $out/cora.toml --quiet --set train.seed=$seed --set output.directory=$out/cora >/dev/null
  $cohort evaluate --result $out/cora/segments.h5 --truth $data/cora/labels.txt --json
done'

row user-graph 45 "Segments of the graph of users, beside Leiden" \
  "lastfm/lastfm.inter.gz lastfm/lastfm.net ml-100k/ml-100k.inter.gz module:numpy module:scipy module:h5py module:sklearn module:igraph module:leidenalg" \
  '$python tests/peer/user_graph.py --cohort $cohort --data $data'

row peers 300 "Peers without training" \
  "lastfm/lightgcn-split ml-100k/ml-100k.inter.gz filmtrust/ratings.txt.gz citeulike/train.tsv.gz gowalla/train.txt.gz module:numpy module:scipy module:h5py module:sklearn module:igraph module:leidenalg" \
  '$python tests/peer/beside.py --cohort $cohort --python $python --data $data \
  --methods popularity itemcf svd gfcf ease spectral leiden'

for graph in "football 12 football/edges.txt football/labels.txt" "cora-citations 7 cora/edges.txt cora/labels.txt" \
  "pubmed 3 pubmed/edges.txt.gz pubmed/labels.txt" "lastfm-friends 8 lastfm/lastfm.net" "filmtrust-trust 8 filmtrust/trust.txt"; do
  read -r name count edges labels <<<"$graph"
  row "$name" 2 "Peers without training" "$edges $labels" \
    'printf "[input]\nsocial = \"%s\"\n[segment]\ncount = '"$count"'\n" "$(realpath $data/'"$edges"')" >$out/'"$name"'.toml
$cohort run $out/'"$name"'.toml --quiet --set output.directory=$out/'"$name"' >/dev/null
$cohort evaluate --result $out/'"$name"'/segments.h5 --json'"${labels:+ --truth \$data/$labels}"
done

row lastfm-softmax 50 "Sampled softmax on LastFM" "lastfm/lightgcn-split/data1.txt.gz lastfm/lightgcn-split/test1.txt" \
  "$lastfm_split"'
for seed in 42 43 44; do
  $cohort run $out/lastfm-split.toml --quiet --set train.seed=$seed --set output.directory=$out/lastfm-split >/dev/null
  $cohort evaluate --result $out/lastfm-split/segments.h5 --json
done'

row filter-hybrid 530 "Filter and hybrid" \
  "lastfm/lightgcn-split ml-100k/ml-100k.inter.gz filmtrust/ratings.txt.gz citeulike/train.tsv.gz gowalla/train.txt.gz amazon-beauty/train.tsv.gz module:h5py" \
  '$python tests/peer/beside.py --cohort $cohort --python $python --data $data --methods cohort'

row planted 100 "Planted segments" "module:numpy module:scipy module:sklearn" \
  '$python tests/peer/planted_svd.py --cohort $cohort'

row no-structure 100 "Nothing where nothing is" "module:h5py" \
  '$python tests/peer/no_structure.py --cohort $cohort'

row ml-segments 30 "Real segments: who they are" "$ml_needs" \
  "$real_ml"'
$cohort run $out/ml-100k.toml --quiet '"$bpr"' --set output.directory=$out/ml-100k >/dev/null
$cohort profile $out/ml-100k.toml --quiet '"$bpr"' --set output.directory=$out/ml-100k
$cohort evaluate --strategies --result $out/ml-100k/segments.h5'

row lastfm-segments 30 "Real segments: who they are" "$lastfm_needs" \
  "$real_lastfm"'
$cohort run $out/lastfm.toml --quiet '"$bpr"' --set output.directory=$out/lastfm >/dev/null
$cohort profile $out/lastfm.toml --quiet '"$bpr"' --set output.directory=$out/lastfm
$cohort evaluate --strategies --result $out/lastfm/segments.h5'

row ml-temporal 30 "Real segments: what they are good for" "$ml_needs" \
  "$real_ml"'
$cohort run $out/ml-100k.toml --quiet '"$bpr"' --set input.holdout_split=temporal --set output.directory=$out/ml-temporal >/dev/null
$cohort evaluate --strategies --result $out/ml-temporal/segments.h5'

row stability 200 "Stability" "$ml_needs $lastfm_needs" \
  "$real_ml
$real_lastfm"'
zcat $data/ml-100k/ml-100k.inter.gz | awk '"'"'NR == 1 || $4 < 889237269'"'"' >$out/earlier.inter
segments() { $cohort run $out/$1.toml --quiet '"$bpr"' --set train.seed=$3 --set output.directory=$out/$1-$2$3 "${@:4}" >/dev/null; }
same() { echo "$1 and $2"; $cohort compare $out/$1/segments.h5 $out/$2/segments.h5; }
for set in lastfm ml-100k; do
  for seed in 1 2 3; do
    segments $set seed $seed --set input.holdout=0
    segments $set part $seed --set input.holdout=0.1
    same $set-seed$seed $set-part$seed
  done
  for kind in seed part; do for pair in "1 2" "1 3" "2 3"; do same $set-$kind${pair% *} $set-$kind${pair#* }; done; done
done
for seed in 1 2 3; do
  segments ml-100k earlier $seed --set input.holdout=0 --set input.interactions=$(realpath $out/earlier.inter)
  same ml-100k-earlier$seed ml-100k-seed$seed
done'

row new-users 60 "New users" "$lastfm_needs module:h5py" \
  '$python tests/peer/assign_agreement.py --cohort $cohort --shared $data'

row nesting-planted 60 "Nested segments" "module:numpy module:h5py" \
  '$python tests/peer/nesting.py planted'

for set in lastfm ml-100k; do
  if [ $set = lastfm ]; then configure=$real_lastfm needs=$lastfm_needs; else configure=$real_ml needs=$ml_needs; fi
  row "nesting-$set" 60 "Nested segments" "$needs module:numpy module:h5py" \
    "$configure"'
$cohort run $out/'"$set"'.toml --quiet '"$fixed"' --set "segment.levels=[5, 20, 100]" --set recommend.strategy=segment --set output.directory=$out/'"$set"'-levels >/dev/null
$cohort evaluate --result $out/'"$set"'-levels/segments.h5
$python tests/peer/nesting.py $out/'"$set"'-levels/segments.h5'
done

row joint-lastfm 100 "Centres trained with the network" "$lastfm_needs module:h5py" \
  'printf "[input]\ninteractions = \"%s\"\n[segment]\ncount = 8\n" "$(realpath $data/lastfm/lastfm.inter.gz)" >$out/joint.toml
for encoder in "--set graph.kind=user --set model.encoder=gcn" "'"$fixed"'"; do for joint in false true; do
  $cohort run $out/joint.toml --quiet $encoder --restart --set train.joint=$joint --set output.directory=$out/joint >/dev/null
  $python tests/peer/friends_modularity.py $out/joint/segments.h5 $data/lastfm/lastfm.net
done; done'

row joint-cora 200 "Centres trained with the network" "$cora_needs" \
  "$cora"'
for seed in 42 1; do for kind in model.smoothings=0 train.joint=true train.loss=dmon "train.loss=dmon --set model.layers=2"; do
  $cohort run $out/cora.toml --quiet --set $kind --set train.seed=$seed --restart --set output.directory=$out/cora-joint >/dev/null
  $cohort evaluate --result $out/cora-joint/segments.h5 --truth $data/cora/labels.txt --json
done; done'

for graph in "games 12 football/edges.txt football/labels.txt" "citations 7 cora/edges.txt cora/labels.txt"; do
  read -r name count edges labels <<<"$graph"
  row "joint-$name" 30 "Centres trained with the network" "$edges $labels" \
    'printf "[input]\nsocial = \"%s\"\n[segment]\ncount = '"$count"'\n" "$(realpath $data/'"$edges"')" >$out/joint-'"$name"'.toml
for seed in 42 1 2; do for kind in model.smoothings=0 train.joint=true; do
  $cohort run $out/joint-'"$name"'.toml --quiet --set model.encoder=gcn --set $kind --set train.seed=$seed --restart --set output.directory=$out/joint-'"$name"' >/dev/null
  $cohort evaluate --result $out/joint-'"$name"'/segments.h5 --truth $data/'"$labels"' --json
done; done'
done

row count 1000 "How many segments" "module:numpy module:sklearn module:h5py" \
  '$python tests/peer/count_criteria.py --cohort $cohort'

row days 60 "Seven days" "$ml_needs module:h5py" \
  "$real_ml"'
for way in "" --no-previous; do
  rm -rf $out/days && $python scripts/days.py $out/ml-100k.toml --output $out/days --days 7 $way
done'

row drift 60 "Seven days" "module:h5py" \
  'for noise in 0.5 0.2; do $python tests/peer/drift.py --cohort $cohort --noise $noise; done'

for way in "bpr 200 --epochs 1 2 3 5 8 12 20 -- --set train.loss=bpr" \
  "softmax 600 --epochs 12 25 50 100 200 -- --set train.temperature=0.2 --set train.pair_weight=equal --set train.length_power=0"; do
  read -r name seconds options <<<"$way"
  row "initial-$name" "$seconds" "Seven days" "ml-100k/ml-100k.inter.gz" \
    'printf "[input]\ninteractions = \"%s\"\n[segment]\ncount = 8\n" "$(realpath $data/ml-100k/ml-100k.inter.gz)" >$out/initial.toml
$python tests/peer/initial_epochs.py $out/initial.toml --cohort $cohort '"$options"
done

[ "$found" -gt 0 ] || fail "no row has ${patterns[*]} in its name or table; see scripts/reproduce.sh --list"
[ "$mode" = run ] || exit 0
say "made $made, left out $absent, failed $failed"
[ "$failed" -eq 0 ]
