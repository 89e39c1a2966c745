// The ranks of a run and what they say to each other. Only this folder (and store/, for parallel HDF5) calls MPI.
//
// "Collective" means: every rank of the communicator calls it, in the same order. Everything here is collective unless
// marked local. Sums are offered for integers only, because they are exact in any order; floating-point sums go
// through comm/shard_sum.hpp.
#pragma once

#include <mpi.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "core/error.hpp"
#include "core/ragged.hpp"

namespace cohort {

/// An MPI call that failed: which, and what MPI says. Exit code 1.
class MpiError : public std::runtime_error {
 public:
  MpiError(const char* call, int code);
};

/// Throws MpiError where `code` is not MPI_SUCCESS. Local.
void check_mpi(int code, const char* call);

/// MPI's life; exactly one, in main. Thread level FUNNELED: only the main thread communicates.
class MpiEnvironment {
 public:
  MpiEnvironment(int* argc, char*** argv);
  ~MpiEnvironment();
  MpiEnvironment(const MpiEnvironment&) = delete;
  MpiEnvironment& operator=(const MpiEnvironment&) = delete;
};

template <class T>
concept Wire = std::is_trivially_copyable_v<T>;

/// What came from all ranks, in rank order: rank r's part is data[begin[r] .. begin[r + 1]).
template <Wire T>
struct Gathered {
  std::vector<T> data;
  std::vector<std::int64_t> begin;

  std::span<const T> from(int rank) const { return list_of(std::span<const T>(data), begin, rank); }
};

class Communicator {
 public:
  /// All ranks of the program, on a communicator of Cohort's own.
  static Communicator world();
  /// This rank alone, as rank 0 of 1: for comparing with what one process computes.
  static Communicator self();

  /// Name and version of the MPI. Local.
  static std::string library();

  int rank() const { return rank_; }
  int size() const { return size_; }
  bool is_root() const { return rank_ == 0; }
  MPI_Comm native() const { return comm_.get()->comm; }

  void barrier() const;
  /// Waits for the others for at most so long (infinity: as long as it takes); false if some rank did not come. Then
  /// the communicator is of no use any more.
  bool barrier_within(double seconds) const;
  /// Ends all ranks at once, with this exit code; for when they can no longer be brought to an agreement. Local.
  [[noreturn]] static void abort(int exit_code);
  /// The same after `message` went to the last words (below). Local.
  [[noreturn]] static void abort(int exit_code, const std::string& message);
  /// Who prints what abort() has to say; nobody unless set. Local.
  static void set_last_words(void (*say)(const std::string& message));

  /// Runs `local`, which must not communicate. If it threw on any rank, every rank throws: the error of the lowest
  /// failing rank, with its type (Interrupted, InputError, RunError, else InternalError) and its message. What may fail
  /// on one rank alone (files, parsing, memory) goes through this before the next collective call.
  template <class Local>
  void attempt(const Local& local) const {
    agree(failure_of(Call(local)));
  }

  /// Throws Interrupted on all ranks if any was asked to end (core/interruption.hpp). Where a stage can stop without
  /// losing anything; costs a reduction. Every rank must come here equally often.
  /// Inside attempt(), end_if_interrupted() does the same without one.
  void stop_if_interrupted(const Interrupted& interrupted = Interrupted()) const;

  template <std::integral T>
  T sum(T value) const {
    reduce_integers(&value, 1, sizeof(T), std::is_signed_v<T>, MPI_SUM);
    return value;
  }
  template <std::integral T>
  void sum_in_place(std::span<T> values) const {
    reduce_integers(values.data(), static_cast<std::int64_t>(values.size()), sizeof(T), std::is_signed_v<T>, MPI_SUM);
  }
  template <std::integral T>
  T max(T value) const {
    reduce_integers(&value, 1, sizeof(T), std::is_signed_v<T>, MPI_MAX);
    return value;
  }
  template <std::integral T>
  T min(T value) const {
    reduce_integers(&value, 1, sizeof(T), std::is_signed_v<T>, MPI_MIN);
    return value;
  }
  template <std::integral T>
  void min_in_place(std::span<T> values) const {
    reduce_integers(values.data(), static_cast<std::int64_t>(values.size()), sizeof(T), std::is_signed_v<T>, MPI_MIN);
  }
  double max(double value) const;
  double min(double value) const;
  bool any(bool value) const { return max(value ? 1 : 0) != 0; }
  /// The bits that are set on every rank.
  template <std::integral T>
  T common_bits(T value) const {
    reduce_integers(&value, 1, sizeof(T), std::is_signed_v<T>, MPI_BAND);
    return value;
  }

  /// Sum over the ranks that run on this rank's machine, for what they share, as memory.
  std::int64_t sum_on_machine(std::int64_t value) const;
  /// The ranks that run on this rank's machine, itself among them, ascending.
  std::vector<int> ranks_on_machine() const;
  /// Sum over the ranks below this one; 0 on rank 0.
  std::int64_t exclusive_sum(std::int64_t value) const;
  /// The same, element by element.
  void exclusive_sum_in_place(std::span<std::int64_t> values) const;

  template <Wire T>
  void broadcast(std::span<T> values, int root = 0) const {
    broadcast_bytes(values.data(), static_cast<std::int64_t>(values.size_bytes()), root);
  }
  /// The root's string, on all.
  std::string broadcast(std::string text, int root = 0) const;
  /// The root's vector, on all; its length travels with it.
  template <Wire T>
  void broadcast(std::vector<T>& values, int root = 0) const {
    auto size = static_cast<std::int64_t>(values.size());
    broadcast_bytes(&size, sizeof(size), root);
    values.resize(size);
    broadcast(std::span<T>(values), root);
  }

  /// Every rank's value, by rank.
  template <Wire T>
  std::vector<T> all_gather(const T& value) const {
    std::vector<T> values(size_);
    all_gather_bytes(&value, values.data(), sizeof(T));
    return values;
  }
  /// Every rank's list, joined by rank.
  template <Wire T>
  Gathered<T> all_gather(std::span<const T> values) const {
    Gathered<T> result;
    result.begin = prefix(all_gather(static_cast<std::int64_t>(values.size())));
    result.data.resize(result.begin.back());
    all_gather_bytes_v(values.data(), result.data.data(), result.begin, sizeof(T));
    return result;
  }
  /// Every rank's list, joined by rank, on the root; empty elsewhere.
  template <Wire T>
  Gathered<T> gather(std::span<const T> values, int root = 0) const {
    std::vector<std::int64_t> send_begin(size_ + 1, 0);
    for (int r = root; r < size_; ++r) send_begin[r + 1] = std::ssize(values);
    return exchange(values, std::span<const std::int64_t>(send_begin));
  }
  /// The root's list cut at `begin` (P + 1, read on the root): rank r gets [begin[r], begin[r + 1]).
  template <Wire T>
  std::vector<T> scatter(std::span<const T> values, std::span<const std::int64_t> begin, int root = 0) const {
    std::vector<std::int64_t> send_begin(size_ + 1, 0);
    if (rank_ == root) send_begin.assign(begin.begin(), begin.end());
    return exchange(rank_ == root ? values : std::span<const T>(), std::span<const std::int64_t>(send_begin)).data;
  }
  /// Sends data[begin[r] .. begin[r + 1]) to rank r (P + 1 offsets); returns what came, by sending rank.
  template <Wire T>
  Gathered<T> exchange(std::span<const T> data, std::span<const std::int64_t> begin) const {
    Gathered<T> result;
    result.begin = exchange_counts(begin);
    result.data.resize(result.begin.back());
    exchange_bytes(data.data(), begin, result.data.data(), result.begin, sizeof(T));
    return result;
  }

 private:
  struct Handle {
    MPI_Comm comm = MPI_COMM_NULL;
    ~Handle();
  };
  /// A body to call, not owned: nothing is allocated where memory may be what is missing.
  class Call {
   public:
    template <class Body>
    explicit Call(const Body& body)
        : body_(&body), run_([](const void* known) { (*static_cast<const Body*>(known))(); }) {}
    void operator()() const { run_(body_); }

   private:
    const void* body_;
    void (*run_)(const void*);
  };
  struct Failure {
    enum class Kind : int { none, interrupted, input, run, internal };
    Kind kind = Kind::none;
    std::string message;
  };
  Failure failure_of(const Call& call) const;
  void agree(const Failure& mine) const;
  static Communicator duplicate(MPI_Comm comm);
  static std::vector<std::int64_t> prefix(const std::vector<std::int64_t>& counts);
  void reduce_integers(void* values, std::int64_t count, std::size_t size, bool is_signed, MPI_Op op) const;
  void broadcast_bytes(void* data, std::int64_t bytes, int root) const;
  void all_gather_bytes(const void* value, void* values, std::int64_t bytes) const;
  void all_gather_bytes_v(const void* mine, void* all, std::span<const std::int64_t> begin, std::size_t size) const;
  std::vector<std::int64_t> exchange_counts(std::span<const std::int64_t> begin) const;
  void exchange_bytes(const void* send, std::span<const std::int64_t> send_begin, void* receive,
                      std::span<const std::int64_t> receive_begin, std::size_t size) const;

  std::shared_ptr<Handle> comm_;
  int rank_ = 0;
  int size_ = 1;
};

/// Items put in order of the rank they go to, stable; `source[i]` is where data[i] stood. Local.
template <Wire T>
struct Bucketed {
  std::vector<T> data;
  std::vector<std::int64_t> begin;   ///< P + 1
  std::vector<std::int64_t> source;  ///< data[i] was items[source[i]]
};

/// Counting sort of `items` by `owner(item)` in 0..ranks-1. Local.
template <Wire T, class Owner>
Bucketed<T> bucket_by(std::span<const T> items, int ranks, Owner owner) {
  Bucketed<T> result;
  result.begin.assign(ranks + 1, 0);
  std::vector<std::int32_t> of(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    of[i] = static_cast<std::int32_t>(owner(items[i]));
    ++result.begin[of[i] + 1];
  }
  std::partial_sum(result.begin.begin(), result.begin.end(), result.begin.begin());
  std::vector<std::int64_t> next(result.begin.begin(), result.begin.end() - 1);
  result.data.resize(items.size());
  result.source.resize(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto place = static_cast<std::size_t>(next[of[i]]++);
    result.data[place] = items[i];
    result.source[place] = static_cast<std::int64_t>(i);
  }
  return result;
}

}  // namespace cohort
