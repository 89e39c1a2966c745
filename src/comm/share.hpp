// Small irregular values from one rank to all: texts, lists of texts, maps, structs with a serialize(). By Boost.MPI,
// which finds out their lengths itself. What is large goes by Communicator::broadcast.
#pragma once

#include <boost/mpi/collectives.hpp>
#include <boost/mpi/communicator.hpp>
#include <boost/serialization/map.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>

#include "comm/communicator.hpp"

namespace cohort {

/// The root's value, on all. Collective.
template <class T>
void share(const Communicator& comm, T& value, int root = 0) {
  boost::mpi::broadcast(boost::mpi::communicator(comm.native(), boost::mpi::comm_attach), value, root);
}

}  // namespace cohort
