// The HDF5 side of a file: which datasets and attributes it has, and where in the file the data stand. Rank 0 alone
// calls HDF5; the data themselves every rank reads and writes at their places. Nobody else includes HDF5. Internal to
// store/.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "store/element.hpp"
#include "store/seal.hpp"

namespace cohort::h5 {

/// Where the data of a dataset stand: contiguous, in rows.
struct DatasetPlace {
  Element element = Element::text;
  std::int64_t element_bytes = 0;
  std::vector<std::int64_t> shape;  ///< one or two sizes
  std::int64_t offset = 0;
  std::int64_t checks_offset = 0;  ///< of its checksums; none where it has no bytes

  std::int64_t columns() const { return shape.size() == 2 ? shape[1] : 1; }
  std::int64_t row_bytes() const { return element_bytes * columns(); }
  std::int64_t bytes() const { return shape[0] * row_bytes(); }
};

/// An attribute of the root group; one of the lists holds its values.
struct AttributeValue {
  std::vector<std::string> texts;
  std::vector<std::int64_t> integers;
  std::vector<double> reals;
};

struct Catalogue {
  std::map<std::string, AttributeValue> attributes;
  std::map<std::string, DatasetPlace> datasets;  ///< by name, without the leading slash; not the checksums
};

/// Reads the catalogue of a file whose seal holds, or of one that never had a seal, of which it takes the attributes
/// alone. `name` stands for it in messages. Throws InputError, never with HDF5's words. Local.
Catalogue read_catalogue(const std::string& path, const std::string& name, bool sealed, std::int64_t file_bytes);

/// The same on all ranks, from rank 0's. Collective.
void share_catalogue(const Communicator& comm, Catalogue& catalogue);

/// An HDF5 file that is being made. Throws RunError. Local.
class StructureWriter {
 public:
  StructureWriter() = default;
  ~StructureWriter();
  StructureWriter(const StructureWriter&) = delete;
  StructureWriter& operator=(const StructureWriter&) = delete;

  /// Makes the HDF5 part of an existing, empty file. `name` stands for it in messages.
  void create(const std::string& path, const std::string& name);
  void attribute(const std::string& name, const AttributeValue& value);
  /// A dataset whose data the caller writes at the offset that is returned; groups on its way are made.
  std::int64_t dataset(const std::string& name, Element element, std::int64_t element_bytes,
                       const std::vector<std::int64_t>& shape);
  /// Room for so many checksums of a dataset, more than none; the caller writes them at the offset that is returned, as
  /// HDF5 would keep them to itself until the dataset is closed, where nobody hears of an error.
  std::int64_t checks(const std::string& name, std::int64_t count);
  /// Has everything in the file and closes it; returns where the data of all datasets stand.
  std::vector<Extent> finish();

 private:
  void need(bool good, const std::string& what) const;

  std::string name_;
  std::int64_t file_ = -1;  // hid_t
  std::vector<Extent> extents_;
};

}  // namespace cohort::h5
