// Every rank keeps the owned rows of a matrix in an anonymous file in memory (memfd), which its neighbours open through
// /proc and map, each at the distance from its own rows that its layout has fixed: a column of the graph then says
// where a row is, whosever it is.
#include "comm/halo_matrix.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <new>
#include <numeric>
#include <string>

#include "core/error.hpp"

namespace cohort {

namespace {

constexpr std::int64_t huge_page = std::int64_t{2} << 20;

std::int64_t page_size() {
  static const auto size = static_cast<std::int64_t>(sysconf(_SC_PAGESIZE));
  return size;
}

std::int64_t round_up(std::int64_t value, std::int64_t unit) {
  return (value + unit - 1) / unit * unit;
}

std::int64_t bytes_of_row(std::int64_t columns) {
  return padded_stride(columns) * static_cast<std::int64_t>(sizeof(float));
}

// A file descriptor, or none.
class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

// Memory to share, all of it there; none if there is none. Without bytes, one page.
int shared_memory(std::int64_t bytes) {
  const int file = memfd_create("cohort-rows", MFD_CLOEXEC);
  if (file < 0) return -1;
  int error = EINTR;
  while (error == EINTR) error = posix_fallocate(file, 0, round_up(std::max<std::int64_t>(bytes, 1), page_size()));
  if (error == 0) return file;
  close(file);
  return -1;
}

// Makes huge pages of shared memory that is mapped from the begin of one on, as far as it fills them and the system has
// them: rows are read at random, and small pages miss the TLB (a product took 20 % longer). By a call of its own, since
// the system's settings for shared memory mostly say never, and this one is not subject to them. Linux before 6.1 has
// not got it, and keeps small pages.
bool gather_pages(std::byte* begin, std::int64_t bytes) {
  constexpr int collapse = 25;  // MADV_COLLAPSE, which older headers do not name
  const auto whole = bytes / huge_page * huge_page;
  return whole > 0 && madvise(begin, static_cast<std::size_t>(whole), collapse) == 0;
}

// How another process finds a file of this one.
struct Ticket {
  std::int64_t process = 0;
  std::int64_t descriptor = -1;
  std::int64_t device = 0;  // with the next one: whether what was opened is that very file
  std::int64_t number = 0;
};

Ticket ticket_of(const File& file) {
  struct stat status = {};
  if (file.descriptor() < 0 || fstat(file.descriptor(), &status) != 0) return {};
  return {getpid(), file.descriptor(), static_cast<std::int64_t>(status.st_dev),
          static_cast<std::int64_t>(status.st_ino)};
}

int open_to_read(const Ticket& ticket) {
  if (ticket.descriptor < 0) return -1;
  const auto path = "/proc/" + std::to_string(ticket.process) + "/fd/" + std::to_string(ticket.descriptor);
  // Where processes are hidden from each other, this may be anything of another one: a pipe must not block.
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  struct stat status = {};
  if (file >= 0 && fstat(file, &status) == 0 && static_cast<std::int64_t>(status.st_dev) == ticket.device &&
      static_cast<std::int64_t>(status.st_ino) == ticket.number) {
    return file;
  }
  if (file >= 0) close(file);
  return -1;
}

// Whether all ranks can read the memory of those on their machine. Collective.
bool can_share(const Communicator& comm, std::span<const int> machine) {
  const File mine(shared_memory(1));
  const auto tickets = comm.all_gather(ticket_of(mine));
  bool shared = true;
  for (const int rank : machine) {
    const File other(open_to_read(tickets[rank]));
    shared = shared && other.descriptor() >= 0;
  }
  return !comm.any(!shared);  // and so nobody's file is closed too early
}

// Whether gather_pages() can do it here.
bool huge_pages_are_shared() {
  const File file(shared_memory(huge_page));
  if (file.descriptor() < 0) return false;
  const auto bytes = static_cast<std::size_t>(2 * huge_page);
  void* const address = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) return false;
  const auto start = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(address));
  auto* const begin = static_cast<std::byte*>(address) + (round_up(start, huge_page) - start);
  const bool done = mmap(begin, static_cast<std::size_t>(huge_page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                         file.descriptor(), 0) != MAP_FAILED &&
                    gather_pages(begin, huge_page);
  munmap(address, bytes);
  return done;
}

}  // namespace

std::int64_t HaloRows::bytes(std::int64_t columns) const {
  return (owned + received) * bytes_of_row(columns);
}

// A page that is read brings those around it. Ghosts lie anywhere among the neighbours' rows: what none of them meets
// stays away.
std::int64_t HaloRows::seen_bytes(std::int64_t columns) const {
  static const double window = static_cast<double>(huge_pages_are_shared() ? huge_page : 16 * page_size());
  const auto all = static_cast<double>(neighbours * bytes_of_row(columns));
  const double windows = all / window;
  if (windows == 0) return 0;
  return static_cast<std::int64_t>(all * -std::expm1(-static_cast<double>(ghosts - received) / windows));
}

HaloLayout::HaloLayout(const Communicator& comm, const ExchangePlan& plan, std::int64_t owned, std::int64_t columns,
                       HaloReach reach)
    : owned_(owned), columns_(columns), first_received_(owned), sent_rows_(plan.sent_rows()) {
  COHORT_CHECK(owned >= 0 && columns >= 1);
  std::vector<int> machine{comm.rank()};
  if (reach == HaloReach::machine) machine = comm.ranks_on_machine();
  // Rows of a machine are numbered together, by 32 bits; half of that leaves room for what fills up pages.
  const bool too_many = comm.sum_on_machine(owned) + plan.received_rows() > INT32_MAX / 2;
  if (comm.any(machine.size() > 1) && !comm.any(too_many) && can_share(comm, machine)) {
    read_in_place(comm, plan, machine);
    return;
  }
  messages_ = plan;
  ghost_row_.reserve(plan.received_rows());
  for (std::int64_t k = 0; k < plan.received_rows(); ++k) {
    ghost_row_.emplace_back(static_cast<std::int32_t>(owned + k));
  }
}

void HaloLayout::read_in_place(const Communicator& comm, const ExchangePlan& plan, std::span<const int> machine) {
  const auto on_machine = [&](int rank) { return std::ranges::binary_search(machine, rank); };
  const auto owned_by = comm.all_gather(owned_);

  // Messages are what is left of the plan.
  messages_.send_begin.push_back(0);
  messages_.receive_begin.push_back(0);
  for (std::size_t i = 0; i < plan.send_to.size(); ++i) {
    if (on_machine(plan.send_to[i])) {
      neighbours_.push_back(plan.send_to[i]);
      continue;
    }
    const auto rows = plan.rows_to(i);
    messages_.send_to.push_back(plan.send_to[i]);
    messages_.send_rows.insert(messages_.send_rows.end(), rows.begin(), rows.end());
    messages_.send_begin.push_back(std::ssize(messages_.send_rows));
  }
  for (std::size_t i = 0; i < plan.receive_from.size(); ++i) {
    if (on_machine(plan.receive_from[i])) {
      neighbours_.push_back(plan.receive_from[i]);
    } else {
      messages_.receive_from.push_back(plan.receive_from[i]);
      messages_.receive_begin.push_back(messages_.receive_begin.back() + plan.rows_from(i));
    }
  }
  std::ranges::sort(neighbours_);
  neighbours_.erase(std::unique(neighbours_.begin(), neighbours_.end()), neighbours_.end());

  // Rows that begin on a page, a whole number of rows from each other: the owned ones, what is received, each
  // neighbour; neighbours on one of those that may be huge, as theirs are.
  const auto rows_between = [&](std::int64_t page) {
    return std::lcm(page, bytes_of_row(columns_)) / bytes_of_row(columns_);
  };
  first_received_ = round_up(owned_, rows_between(page_size()));
  auto next = round_up(first_received_ + messages_.received_rows(), rows_between(huge_page));
  for (const int rank : neighbours_) {
    neighbour_row_.push_back(next);
    neighbour_owned_.push_back(owned_by[rank]);
    next = round_up(next + neighbour_owned_.back(), rows_between(huge_page));
  }
  COHORT_CHECK(next <= INT32_MAX);

  // Which rows of theirs the others would send.
  std::vector<std::int64_t> begin{0};
  std::size_t i = 0;
  for (int rank = 0; rank < comm.size(); ++rank) {
    if (i < plan.send_to.size() && plan.send_to[i] == rank) ++i;
    begin.push_back(plan.send_begin.empty() ? 0 : plan.send_begin[i]);
  }
  const auto rows = comm.exchange(std::span<const std::int32_t>(plan.send_rows), std::span<const std::int64_t>(begin));
  COHORT_CHECK(std::ssize(rows.data) == plan.received_rows());
  auto received = first_received_;
  for (const int rank : plan.receive_from) {
    const auto neighbour = std::ranges::lower_bound(neighbours_, rank) - neighbours_.begin();
    for (const std::int32_t row : rows.from(rank)) {
      const auto place = on_machine(rank) ? neighbour_row_[neighbour] + row : received++;
      ghost_row_.emplace_back(static_cast<std::int32_t>(place));
    }
  }
}

void HaloMatrix::Unmap::operator()(std::byte* address) const {
  munmap(address, bytes);
}

HaloMatrix::HaloMatrix(const Communicator& comm, const HaloLayout& layout) {
  const auto row_bytes = bytes_of_row(layout.columns());
  view_ = {nullptr, layout.owned(), layout.columns(), padded_stride(layout.columns())};
  const auto owned_bytes = layout.owned() * row_bytes;
  const auto received = layout.messages().received_rows();
  const bool shared = !layout.neighbours().empty();
  const File mine(shared ? shared_memory(owned_bytes) : -1);
  std::byte* rows = nullptr;
  const auto map = [&](std::int64_t first_row, std::int64_t bytes, int protection, int flags, int file) {
    if (bytes > 0 && mmap(rows + first_row * row_bytes, static_cast<std::size_t>(bytes), protection,
                          MAP_SHARED | MAP_FIXED | flags, file, 0) == MAP_FAILED) {
      throw std::bad_alloc();
    }
  };
  comm.attempt([&] {
    if (shared && mine.descriptor() < 0) throw std::bad_alloc();
    const auto last =
        shared ? layout.neighbour_row_.back() + layout.neighbour_owned_.back() : layout.first_received() + received;
    if (last == 0) return;
    const auto bytes =
        static_cast<std::size_t>(round_up(last * row_bytes, page_size())) + static_cast<std::size_t>(huge_page);
    // Addresses only: what nothing may be written to is not charged as memory, however strict the system is.
    void* const address = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (address == MAP_FAILED) throw std::bad_alloc();
    addresses_ = {static_cast<std::byte*>(address), Unmap{bytes}};
    const auto start = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(address));
    rows = addresses_.get() + (round_up(start, huge_page) - start);
    view_.data = reinterpret_cast<float*>(rows);
    if (shared) {
      map(0, owned_bytes, PROT_READ | PROT_WRITE, MAP_POPULATE, mine.descriptor());
      gather_pages(rows, owned_bytes);
    }
    // Rows of this rank alone: from the first received one on, or all. Touched now, so that memory that is not there is
    // missed here.
    const auto alone = shared ? layout.first_received() : 0;
    const auto count = layout.first_received() + received - alone;
    if (count == 0) return;
    if (mprotect(view_.row(alone), static_cast<std::size_t>(count * row_bytes), PROT_READ | PROT_WRITE) != 0) {
      throw std::bad_alloc();
    }
    madvise(view_.row(alone), static_cast<std::size_t>(count * row_bytes), MADV_HUGEPAGE);
    std::fill_n(view_.row(alone), count * view_.stride, 0.0F);
  });
  if (!comm.any(shared)) return;
  const auto tickets = comm.all_gather(ticket_of(mine));
  comm.attempt([&] {
    for (std::size_t i = 0; i < layout.neighbours().size(); ++i) {
      const File file(open_to_read(tickets[layout.neighbours()[i]]));
      if (file.descriptor() < 0) throw RunError("the memory of another rank of the machine cannot be opened any more");
      map(layout.neighbour_row_[i], layout.neighbour_owned_[i] * row_bytes, PROT_READ, 0, file.descriptor());
    }
  });
}

}  // namespace cohort
