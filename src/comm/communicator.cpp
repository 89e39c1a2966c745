#include "comm/communicator.hpp"

#include <algorithm>
#include <array>
#include <boost/mpi/collectives.hpp>
#include <boost/mpi/communicator.hpp>
#include <boost/mpi/exception.hpp>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>

#include "core/interruption.hpp"
#include "core/ragged.hpp"
#include "core/stopwatch.hpp"
#include "core/utf8.hpp"

namespace cohort {

namespace {

std::string mpi_message(const char* call, int code) {
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, text, &length);
  return std::string(call) + " failed: " + std::string(text, static_cast<std::size_t>(length));
}

// A datatype of `bytes` bytes, so that counts stay in items.
class ItemType {
 public:
  explicit ItemType(std::size_t bytes) {
    check_mpi(MPI_Type_contiguous(static_cast<int>(bytes), MPI_BYTE, &type_), "MPI_Type_contiguous");
    check_mpi(MPI_Type_commit(&type_), "MPI_Type_commit");
  }
  ~ItemType() { MPI_Type_free(&type_); }
  ItemType(const ItemType&) = delete;
  ItemType& operator=(const ItemType&) = delete;
  MPI_Datatype get() const { return type_; }

 private:
  MPI_Datatype type_{};
};

std::vector<int> narrow(std::span<const std::int64_t> values) {
  std::vector<int> result(values.size());
  std::transform(values.begin(), values.end(), result.begin(), [](std::int64_t v) { return static_cast<int>(v); });
  return result;
}

std::vector<int> counts_of(std::span<const std::int64_t> begin) {
  std::vector<int> counts(begin.size() - 1);
  for (std::size_t r = 0; r + 1 < begin.size(); ++r) counts[r] = static_cast<int>(places_of(begin, r).size());
  return counts;
}

// Whether what was started was done in so many seconds.
bool done_within(MPI_Request& request, double seconds) {
  const Stopwatch stopwatch;
  for (int done = 0;;) {
    check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    if (done) return true;
    if (stopwatch.seconds() > seconds) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void (*last_words)(const std::string&) = nullptr;

template <class Failure>
class Agreed final : public Failure, public AgreedFailure {
 public:
  using Failure::Failure;
};

// Of a communicator of one rank the others know nothing.
template <class Failure>
[[noreturn]] void throw_failure(const std::string& message, int ranks) {
  if (ranks > 1) throw Agreed<Failure>(message);
  throw Failure(message);
}

}  // namespace

MpiError::MpiError(const char* call, int code) : std::runtime_error(mpi_message(call, code)) {}

void check_mpi(int code, const char* call) {
  if (code != MPI_SUCCESS) throw MpiError(call, code);
}

MpiEnvironment::MpiEnvironment(int* argc, char*** argv) {
  int provided = 0;
  check_mpi(MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
  if (provided < MPI_THREAD_FUNNELED) {
    throw RunError("this MPI gives no MPI_THREAD_FUNNELED; Cohort needs it to compute with threads");
  }
}

MpiEnvironment::~MpiEnvironment() {
  MPI_Finalize();
}

Communicator::Handle::~Handle() {
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (!finalized && comm != MPI_COMM_NULL) MPI_Comm_free(&comm);
}

std::string Communicator::library() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  MPI_Get_library_version(text.data(), &length);
  const auto whole = std::string(text.data(), static_cast<std::size_t>(length));
  return whole.substr(0, whole.find_first_of(",\n"));
}

Communicator Communicator::world() {
  return duplicate(MPI_COMM_WORLD);
}

Communicator Communicator::self() {
  return duplicate(MPI_COMM_SELF);
}

Communicator Communicator::duplicate(MPI_Comm comm) {
  Communicator result;
  result.comm_ = std::make_shared<Handle>();
  check_mpi(MPI_Comm_dup(comm, &result.comm_->comm), "MPI_Comm_dup");
  check_mpi(MPI_Comm_set_errhandler(result.native(), MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  MPI_Comm_rank(result.native(), &result.rank_);
  MPI_Comm_size(result.native(), &result.size_);
  return result;
}

void Communicator::barrier() const {
  check_mpi(MPI_Barrier(native()), "MPI_Barrier");
}

bool Communicator::barrier_within(double seconds) const {
  MPI_Request request{};
  check_mpi(MPI_Ibarrier(native(), &request), "MPI_Ibarrier");
  return done_within(request, seconds);
}

void Communicator::abort(int exit_code) {
  int started = 0;
  int finished = 0;
  MPI_Initialized(&started);
  MPI_Finalized(&finished);
  if (started && !finished) MPI_Abort(MPI_COMM_WORLD, exit_code);
  std::_Exit(exit_code);
}

void Communicator::abort(int exit_code, const std::string& message) {
  if (last_words) last_words(message);
  abort(exit_code);
}

void Communicator::set_last_words(void (*say)(const std::string& message)) {
  last_words = say;
}

Communicator::Failure Communicator::failure_of(const Call& call) const {
  try {
    call();
    return {};
  } catch (const Interrupted& interrupted) {
    return {Failure::Kind::interrupted, interrupted.how_to_go_on()};
  } catch (const InputError& error) {
    return {Failure::Kind::input, printable(error.what())};
  } catch (const RunError& error) {
    return {Failure::Kind::run, printable(error.what())};
  } catch (const std::bad_alloc&) {
    return {Failure::Kind::run, "rank " + std::to_string(rank_) + " of " + std::to_string(size_) +
                                    " could not get the memory it asked for; use more ranks or nodes"};
  } catch (const std::exception& error) {
    return {Failure::Kind::internal, error.what()};
  } catch (...) {
    return {Failure::Kind::internal, "an unknown exception"};
  }
}

void Communicator::agree(const Failure& mine) const {
  const int failing = min(mine.kind == Failure::Kind::none ? size_ : rank_);
  if (failing == size_) return;
  auto kind = static_cast<int>(mine.kind);
  broadcast(std::span<int>(&kind, 1), failing);
  const auto message = broadcast(mine.message, failing);
  switch (static_cast<Failure::Kind>(kind)) {
    case Failure::Kind::interrupted:
      throw Interrupted(message);
    case Failure::Kind::input:
      throw_failure<InputError>(message, size_);
    case Failure::Kind::run:
      throw_failure<RunError>(message, size_);
    default:
      throw_failure<InternalError>(message, size_);
  }
}

void Communicator::stop_if_interrupted(const Interrupted& interrupted) const {
  if (any(interruption_requested())) throw interrupted;
}

double Communicator::max(double value) const {
  check_mpi(MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_DOUBLE, MPI_MAX, native()), "MPI_Allreduce");
  return value;
}

double Communicator::min(double value) const {
  check_mpi(MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_DOUBLE, MPI_MIN, native()), "MPI_Allreduce");
  return value;
}

std::int64_t Communicator::sum_on_machine(std::int64_t value) const {
  MPI_Comm machine = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split_type(native(), MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &machine), "MPI_Comm_split_type");
  const int code = MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_INT64_T, MPI_SUM, machine);
  MPI_Comm_free(&machine);
  check_mpi(code, "MPI_Allreduce");
  return value;
}

std::vector<int> Communicator::ranks_on_machine() const {
  MPI_Comm machine = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split_type(native(), MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &machine), "MPI_Comm_split_type");
  int size = 0;
  MPI_Comm_size(machine, &size);
  std::vector<int> ranks(size);
  const int code = MPI_Allgather(&rank_, 1, MPI_INT, ranks.data(), 1, MPI_INT, machine);
  MPI_Comm_free(&machine);
  check_mpi(code, "MPI_Allgather");
  return ranks;
}

std::int64_t Communicator::exclusive_sum(std::int64_t value) const {
  exclusive_sum_in_place(std::span<std::int64_t>(&value, 1));
  return value;
}

void Communicator::exclusive_sum_in_place(std::span<std::int64_t> values) const {
  COHORT_CHECK(values.size() <= INT_MAX);
  check_mpi(MPI_Exscan(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()), MPI_INT64_T, MPI_SUM, native()),
            "MPI_Exscan");
  if (rank_ == 0) std::fill(values.begin(), values.end(), 0);
}

std::string Communicator::broadcast(std::string text, int root) const {
  boost::mpi::broadcast(boost::mpi::communicator(native(), boost::mpi::comm_attach), text, root);
  return text;
}

std::vector<std::int64_t> Communicator::prefix(const std::vector<std::int64_t>& counts) {
  std::vector<std::int64_t> begin(counts.size() + 1, 0);
  std::partial_sum(counts.begin(), counts.end(), begin.begin() + 1);
  return begin;
}

void Communicator::reduce_integers(void* values, std::int64_t count, std::size_t size, bool is_signed,
                                   MPI_Op op) const {
  MPI_Datatype type = MPI_DATATYPE_NULL;
  if (size == 1) type = is_signed ? MPI_INT8_T : MPI_UINT8_T;
  if (size == 4) type = is_signed ? MPI_INT32_T : MPI_UINT32_T;
  if (size == 8) type = is_signed ? MPI_INT64_T : MPI_UINT64_T;
  COHORT_CHECK(type != MPI_DATATYPE_NULL);
  constexpr std::int64_t chunk = std::int64_t{1} << 27;
  for (std::int64_t done = 0; done < count || done == 0; done += chunk) {
    const auto now = static_cast<int>(std::min(chunk, count - done));
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, static_cast<std::byte*>(values) + done * static_cast<std::int64_t>(size), now,
                            type, op, native()),
              "MPI_Allreduce");
  }
}

void Communicator::broadcast_bytes(void* data, std::int64_t bytes, int root) const {
  constexpr std::int64_t chunk = std::int64_t{1} << 30;
  for (std::int64_t done = 0; done < bytes; done += chunk) {
    check_mpi(MPI_Bcast(static_cast<std::byte*>(data) + done, static_cast<int>(std::min(chunk, bytes - done)), MPI_BYTE,
                        root, native()),
              "MPI_Bcast");
  }
}

void Communicator::all_gather_bytes(const void* value, void* values, std::int64_t bytes) const {
  check_mpi(
      MPI_Allgather(value, static_cast<int>(bytes), MPI_BYTE, values, static_cast<int>(bytes), MPI_BYTE, native()),
      "MPI_Allgather");
}

void Communicator::all_gather_bytes_v(const void* mine, void* all, std::span<const std::int64_t> begin,
                                      std::size_t size) const {
  const auto bytes = static_cast<std::int64_t>(size);
  if (begin.back() <= INT_MAX) {
    const ItemType item(size);
    const auto counts = counts_of(begin);
    const auto displacements = narrow(begin.first(begin.size() - 1));
    check_mpi(
        MPI_Allgatherv(mine, counts[rank_], item.get(), all, counts.data(), displacements.data(), item.get(), native()),
        "MPI_Allgatherv");
    return;
  }
  for (int root = 0; root < size_; ++root) {
    const auto r = static_cast<std::size_t>(root);
    auto* place = static_cast<std::byte*>(all) + begin[r] * bytes;
    const std::int64_t length = (places_of(begin, r).size()) * bytes;
    if (root == rank_ && length > 0) std::memcpy(place, mine, static_cast<std::size_t>(length));
    broadcast_bytes(place, length, root);
  }
}

std::vector<std::int64_t> Communicator::exchange_counts(std::span<const std::int64_t> begin) const {
  COHORT_CHECK(static_cast<int>(begin.size()) == size_ + 1);
  std::vector<std::int64_t> send(size_);
  std::vector<std::int64_t> receive(send.size());
  for (std::size_t r = 0; r < send.size(); ++r) send[r] = places_of(begin, r).size();
  // NOLINTNEXTLINE(mpi-type-mismatch): std::int64_t is long here, which is what MPI_INT64_T says.
  check_mpi(MPI_Alltoall(send.data(), 1, MPI_INT64_T, receive.data(), 1, MPI_INT64_T, native()), "MPI_Alltoall");
  return prefix(receive);
}

void Communicator::exchange_bytes(const void* send, std::span<const std::int64_t> send_begin, void* receive,
                                  std::span<const std::int64_t> receive_begin, std::size_t size) const {
  const ItemType item(size);
  const std::int64_t largest = max(std::max(send_begin.back(), receive_begin.back()));
  if (largest <= INT_MAX) {
    const auto send_counts = counts_of(send_begin);
    const auto send_at = narrow(send_begin.first(send_begin.size() - 1));
    const auto receive_counts = counts_of(receive_begin);
    const auto receive_at = narrow(receive_begin.first(receive_begin.size() - 1));
    check_mpi(MPI_Alltoallv(send, send_counts.data(), send_at.data(), item.get(), receive, receive_counts.data(),
                            receive_at.data(), item.get(), native()),
              "MPI_Alltoallv");
    return;
  }
  // Counts and offsets of MPI 3 are 32-bit: beyond, messages of at most `chunk` items between pairs.
  const std::int64_t chunk = std::max<std::int64_t>(1, (std::int64_t{1} << 28) / static_cast<std::int64_t>(size));
  constexpr int tag = 71;
  std::vector<MPI_Request> requests;
  const auto bytes = static_cast<std::int64_t>(size);
  for (int offset = 0; offset < size_; ++offset) {
    const int from = (rank_ + size_ - offset) % size_;
    const int to = (rank_ + offset) % size_;
    const auto f = static_cast<std::size_t>(from);
    const auto t = static_cast<std::size_t>(to);
    for (std::int64_t at = receive_begin[f]; at < receive_begin[f + 1]; at += chunk) {
      const auto now = static_cast<int>(std::min(chunk, receive_begin[f + 1] - at));
      check_mpi(MPI_Irecv(static_cast<std::byte*>(receive) + at * bytes, now, item.get(), from, tag, native(),
                          &requests.emplace_back()),
                "MPI_Irecv");
    }
    for (std::int64_t at = send_begin[t]; at < send_begin[t + 1]; at += chunk) {
      const auto now = static_cast<int>(std::min(chunk, send_begin[t + 1] - at));
      check_mpi(MPI_Isend(static_cast<const std::byte*>(send) + at * bytes, now, item.get(), to, tag, native(),
                          &requests.emplace_back()),
                "MPI_Isend");
    }
  }
  check_mpi(MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
}

}  // namespace cohort
