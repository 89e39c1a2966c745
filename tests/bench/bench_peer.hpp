// A peer in a process of its own: started once, it prepares the same work and then does one run a request, so that its
// runs interleave with ours.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <string>
#include <vector>

#include "bench_graphs.hpp"

namespace cohort::bench {

class PeerProcess {
 public:
  /// Starts `command` (a program and its arguments). It answers each line on its standard input with a line, the
  /// seconds of one run.
  explicit PeerProcess(const std::vector<std::string>& command);
  ~PeerProcess();
  PeerProcess(const PeerProcess&) = delete;
  PeerProcess& operator=(const PeerProcess&) = delete;

  /// One run; its seconds. Throws RunError where the peer has ended.
  double run();

 private:
  pid_t process_ = -1;
  std::FILE* requests_ = nullptr;
  std::FILE* answers_ = nullptr;
};

/// Writes a graph for a peer into a new temporary directory: row_begin (int64), column (int32), value (float32). The
/// directory goes with the object.
class GraphOnDisk {
 public:
  explicit GraphOnDisk(const Graph& graph);
  ~GraphOnDisk();
  GraphOnDisk(const GraphOnDisk&) = delete;
  GraphOnDisk& operator=(const GraphOnDisk&) = delete;
  const std::string& directory() const { return directory_; }

 private:
  std::string directory_;
};

}  // namespace cohort::bench
