#include "bench_peer.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/error.hpp"

namespace cohort::bench {

PeerProcess::PeerProcess(const std::vector<std::string>& command) {
  int to_peer[2];
  int from_peer[2];
  // Peers that start later must not hold the ends of this one, or closing ours would not end it.
  if (pipe2(to_peer, O_CLOEXEC) != 0 || pipe2(from_peer, O_CLOEXEC) != 0) throw RunError("no pipe to a peer");
  process_ = fork();
  if (process_ < 0) throw RunError("no process for a peer");
  if (process_ == 0) {
    dup2(to_peer[0], STDIN_FILENO);
    dup2(from_peer[1], STDOUT_FILENO);
    std::vector<char*> arguments;
    arguments.reserve(command.size() + 1);
    for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  close(to_peer[0]);
  close(from_peer[1]);
  requests_ = fdopen(to_peer[1], "w");
  answers_ = fdopen(from_peer[0], "r");
}

PeerProcess::~PeerProcess() {
  std::fclose(requests_);  // the end of its input ends the peer
  std::fclose(answers_);
  waitpid(process_, nullptr, 0);
}

double PeerProcess::run() {
  // Idle threads of an OpenMP run time, ours and the peer's, spin for a while: neither side is to run against them.
  constexpr std::chrono::milliseconds spinning(20);
  std::this_thread::sleep_for(spinning);
  double seconds = 0;
  char rest[256];
  const bool asked = std::fputs("run\n", requests_) >= 0 && std::fflush(requests_) == 0;
  if (!asked || std::fscanf(answers_, "%lf", &seconds) != 1 || std::fgets(rest, sizeof rest, answers_) == nullptr) {
    throw RunError("the peer ended; does the interpreter given to --peer have its packages?");
  }
  std::this_thread::sleep_for(spinning);
  return seconds;
}

GraphOnDisk::GraphOnDisk(const Graph& graph) {
  std::string path = (std::filesystem::temp_directory_path() / "cohort_bench_XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) throw RunError("no temporary directory");
  directory_ = path;
  const auto write = [&](const char* name, const auto& data) {
    std::ofstream file(directory_ + "/" + name, std::ios::binary);
    file.write(reinterpret_cast<const char*>(data.data()),
               static_cast<std::streamsize>(data.size() * sizeof(data.front())));
    if (!file) throw RunError("cannot write to " + directory_);
  };
  write("row_begin", graph.row_begin);
  write("column", graph.column);
  write("value", graph.value);
}

GraphOnDisk::~GraphOnDisk() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

}  // namespace cohort::bench
