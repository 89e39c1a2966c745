// The program: MPI's life, the command line, and what a failure means for the process.
#include "comm/communicator.hpp"

int main(int argc, char** argv) {
  const cohort::MpiEnvironment mpi(&argc, &argv);
  return 2;
}
