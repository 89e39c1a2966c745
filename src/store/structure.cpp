#include "store/structure.hpp"

#include <hdf5.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <optional>
#include <utility>

#include "comm/share.hpp"
#include "core/error.hpp"
#include "core/file_call.hpp"
#include "store/block_checks.hpp"
#include "store/h5.hpp"
#include "store/schema.hpp"

namespace cohort::h5 {

template <class Archive>
void serialize(Archive& archive, DatasetPlace& place, unsigned /*version*/) {
  archive& place.element& place.element_bytes& place.shape& place.offset& place.checks_offset;
}

template <class Archive>
void serialize(Archive& archive, AttributeValue& value, unsigned /*version*/) {
  archive& value.texts& value.integers& value.reals;
}

template <class Archive>
void serialize(Archive& archive, Catalogue& catalogue, unsigned /*version*/) {
  archive& catalogue.attributes& catalogue.datasets;
}

namespace {

// Owns an identifier of any kind.
class Handle {
 public:
  explicit Handle(hid_t id) : id_(id) {}
  ~Handle() {
    if (id_ >= 0) H5Idec_ref(id_);
  }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  Handle& operator=(Handle&&) = delete;
  hid_t get() const { return id_; }
  explicit operator bool() const { return id_ >= 0; }

 private:
  hid_t id_;
};

// The system's reason for HDF5's last failure; "" where it was none of the system's.
std::string system_reason() {
  int error = 0;
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_UPWARD,
      [](unsigned, const H5E_error2_t* entry, void* data) -> herr_t {
        const char* place = entry->desc ? std::strstr(entry->desc, "errno = ") : nullptr;
        if (place && *static_cast<int*>(data) == 0) *static_cast<int*>(data) = std::atoi(place + 8);
        return 0;
      },
      &error);
  return error == 0 ? "" : std::strerror(error);
}

Handle text_type() {
  Handle type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.get(), H5T_VARIABLE);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  return type;
}

Handle file_access() {
  Handle access(H5Pcreate(H5P_FILE_ACCESS));
  // From 1.8 on, structures have checksums, and attributes may be larger than 64 KiB (a configuration with thousands of
  // input files).
  H5Pset_libver_bounds(access.get(), H5F_LIBVER_V18, H5F_LIBVER_LATEST);
  // Many file systems of clusters have no locks, and a file has one writer anyway.
  H5Pset_file_locking(access.get(), false, true);
  // Large datasets begin on pages.
  H5Pset_alignment(access.get(), 1 << 16, 1 << 12);
  return access;
}

// Files are little-endian wherever they are written.
Handle type_of(Element element, std::int64_t bytes) {
  switch (element) {
    case Element::int32:
      return Handle(H5Tcopy(H5T_STD_I32LE));
    case Element::int64:
      return Handle(H5Tcopy(H5T_STD_I64LE));
    case Element::float32:
      return Handle(H5Tcopy(H5T_IEEE_F32LE));
    case Element::float64:
      return Handle(H5Tcopy(H5T_IEEE_F64LE));
    case Element::text:
      break;
  }
  Handle type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.get(), static_cast<std::size_t>(bytes));
  H5Tset_strpad(type.get(), H5T_STR_NULLPAD);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  return type;
}

std::optional<Element> element_of_type(hid_t type) {
  for (const auto element : {Element::int32, Element::int64, Element::float32, Element::float64}) {
    if (H5Tequal(type, type_of(element, 0).get()) > 0) return element;
  }
  if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0) return Element::text;
  return std::nullopt;
}

std::vector<std::int64_t> shape_of(hid_t dataset) {
  const Handle space(H5Dget_space(dataset));
  std::vector<hsize_t> size(std::max(0, H5Sget_simple_extent_ndims(space.get())));
  H5Sget_simple_extent_dims(space.get(), size.data(), nullptr);
  return {size.begin(), size.end()};
}

// What is read of one file. Failures are reported by the callers' return values, since they pass through HDF5.
class CatalogueReader {
 public:
  CatalogueReader(const std::string& name, std::int64_t file_bytes) : path_(name), file_bytes_(file_bytes) {}

  Catalogue read(const std::string& path, bool sealed) {
    start_hdf5();
    const FileCall call("H5Fopen", path_);
    const auto access = file_access();
    // What is in memory is opened through a link to no path, which HDF5's usual driver would want to resolve.
    H5Pset_fapl_stdio(access.get());
    const Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()));
    if (!file) {
      const auto reason = system_reason();
      if (!reason.empty()) throw InputError("cannot read " + path_ + ": " + reason);
      throw unreadable("HDF5 finds no structure in it");
    }
    const auto root = file.get();
    const auto visit_attribute = [](hid_t where, const char* name, const H5A_info_t*, void* self) -> herr_t {
      return static_cast<CatalogueReader*>(self)->caught(
          [&](CatalogueReader& reader) { return reader.add_attribute(where, name); });
    };
    if (H5Aiterate2(root, H5_INDEX_NAME, H5_ITER_INC, nullptr, visit_attribute, this) < 0) {
      if (failure_) std::rethrow_exception(failure_);
      throw unreadable("its attributes cannot be read");
    }
    // Another schema may have datasets of other kinds.
    const auto version = catalogue_.attributes.find(schema::schema_version);
    const bool other_schema = version != catalogue_.attributes.end() &&
                              version->second.integers != std::vector<std::int64_t>{schema::version};
    if (!sealed || other_schema) return std::move(catalogue_);
    const auto visit_object = [](hid_t, const char* name, const H5O_info_t* info, void* self) -> herr_t {
      return static_cast<CatalogueReader*>(self)->caught([&](CatalogueReader& reader) {
        if (info->type == H5O_TYPE_DATASET) reader.names_.emplace_back(name);
        return true;
      });
    };
    if (H5Ovisit_by_name2(root, "/", H5_INDEX_NAME, H5_ITER_INC, visit_object, this, H5O_INFO_BASIC, H5P_DEFAULT) < 0) {
      if (failure_) std::rethrow_exception(failure_);
      throw unreadable("its datasets cannot be listed");
    }
    for (const auto& name : names_) add_dataset(root, name);
    for (auto& [name, place] : catalogue_.datasets) add_checks(name, place);
    return std::move(catalogue_);
  }

 private:
  // Runs what HDF5 calls back: no exception may pass through HDF5, which would not put in order what it has under way.
  template <class Body>
  herr_t caught(const Body& body) noexcept {
    try {
      return body(*this) ? 0 : -1;
    } catch (...) {
      failure_ = std::current_exception();
      return -1;
    }
  }

  InputError unreadable(const std::string& why) const {
    return InputError(path_ + " is damaged or cut short: " + why + "; put back a copy, or make it again");
  }
  InputError foreign(const std::string& name) const {
    return InputError(path_ + ": dataset /" + name + " is not as Cohort writes datasets; put back a copy, or make " +
                      "the file again");
  }

  bool add_attribute(hid_t where, const std::string& name) {
    const Handle attribute(H5Aopen(where, name.c_str(), H5P_DEFAULT));
    if (!attribute) return false;
    const Handle space(H5Aget_space(attribute.get()));
    const Handle type(H5Aget_type(attribute.get()));
    const auto size = static_cast<std::size_t>(std::max<hssize_t>(0, H5Sget_simple_extent_npoints(space.get())));
    AttributeValue value;
    bool good = true;
    if (H5Tget_class(type.get()) == H5T_STRING && H5Tis_variable_str(type.get()) > 0) {
      std::vector<char*> texts(size);
      const auto text = text_type();
      good = size == 0 || H5Aread(attribute.get(), text.get(), texts.data()) >= 0;
      if (good) {
        for (const char* one : texts) value.texts.emplace_back(one ? one : "");
        if (size > 0) H5Dvlen_reclaim(text.get(), space.get(), H5P_DEFAULT, texts.data());
      }
    } else if (H5Tget_class(type.get()) == H5T_INTEGER) {
      value.integers.resize(size);
      good = size == 0 || H5Aread(attribute.get(), H5T_NATIVE_INT64, value.integers.data()) >= 0;
    } else if (H5Tget_class(type.get()) == H5T_FLOAT) {
      value.reals.resize(size);
      good = size == 0 || H5Aread(attribute.get(), H5T_NATIVE_DOUBLE, value.reals.data()) >= 0;
    }
    if (good) catalogue_.attributes[name] = std::move(value);
    return good;
  }

  void add_dataset(hid_t file, const std::string& name) {
    const Handle dataset(H5Dopen2(file, name.c_str(), H5P_DEFAULT));
    if (!dataset) throw unreadable("dataset /" + name + " cannot be opened");
    const Handle type(H5Dget_type(dataset.get()));
    const Handle creation(H5Dget_create_plist(dataset.get()));
    const bool is_check = name.starts_with(std::string(schema::checksums) + "/");
    DatasetPlace place;
    place.element_bytes = static_cast<std::int64_t>(H5Tget_size(type.get()));
    place.shape = shape_of(dataset.get());
    const auto element = is_check && H5Tequal(type.get(), H5T_STD_U32LE) > 0 ? std::optional(Element::int32)
                                                                             : element_of_type(type.get());
    if (!element || H5Pget_layout(creation.get()) != H5D_CONTIGUOUS || H5Pget_external_count(creation.get()) != 0 ||
        place.shape.empty() || place.shape.size() > 2 || place.element_bytes <= 0) {
      throw foreign(name);
    }
    place.element = *element;
    std::int64_t bytes = place.element_bytes;
    for (const auto size : place.shape) {
      if (size < 0 || __builtin_mul_overflow(bytes, size, &bytes)) throw foreign(name);
    }
    if (bytes > 0) {
      const auto offset = H5Dget_offset(dataset.get());
      if (offset == HADDR_UNDEF || bytes > file_bytes_ || offset > static_cast<haddr_t>(file_bytes_ - bytes) ||
          H5Dget_storage_size(dataset.get()) != static_cast<hsize_t>(bytes)) {
        throw foreign(name);
      }
      place.offset = static_cast<std::int64_t>(offset);
    }
    (is_check ? checks_ : catalogue_.datasets)[name] = std::move(place);
  }

  void add_checks(const std::string& name, DatasetPlace& place) const {
    if (place.bytes() == 0) return;
    const auto checks = checks_.find(std::string(schema::checksums) + "/" + name);
    if (checks == checks_.end() || checks->second.element != Element::int32 ||
        checks->second.shape != std::vector<std::int64_t>{blocks_of(place.bytes())}) {
      throw InputError(path_ + ": dataset /" + name + " has no checksums that fit; put back a copy, or make the file " +
                       "again");
    }
    place.checks_offset = checks->second.offset;
  }

  const std::string& path_;
  std::int64_t file_bytes_;
  std::exception_ptr failure_;
  std::vector<std::string> names_;
  std::map<std::string, DatasetPlace> checks_;
  Catalogue catalogue_;
};

}  // namespace

Catalogue read_catalogue(const std::string& path, const std::string& name, bool sealed, std::int64_t file_bytes) {
  return CatalogueReader(name, file_bytes).read(path, sealed);
}

void share_catalogue(const Communicator& comm, Catalogue& catalogue) {
  share(comm, catalogue);
}

void start_hdf5() {
  static const bool once = [] {
    H5dont_atexit();
    H5open();
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    return true;
  }();
  static_cast<void>(once);
}

StructureWriter::~StructureWriter() {
  if (file_ >= 0) H5Idec_ref(file_);
}

void StructureWriter::need(bool good, const std::string& what) const {
  if (good) return;
  const auto reason = system_reason();
  throw RunError("cannot write " + name_ + ": " +
                 (reason.empty() ? what + " failed; is there room on the file system?" : reason));
}

void StructureWriter::create(const std::string& path, const std::string& name) {
  start_hdf5();
  name_ = name;
  const Handle creation(H5Pcreate(H5P_FILE_CREATE));
  H5Pset_userblock(creation.get(), seal_bytes);
  const FileCall call("H5Fcreate", name_);
  file_ = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), file_access().get());
  need(file_ >= 0, "creating the file");
}

void StructureWriter::attribute(const std::string& name, const AttributeValue& value) {
  std::vector<const char*> texts;
  for (const auto& text : value.texts) texts.push_back(text.c_str());
  const auto text = text_type();
  hid_t type = text.get();
  const void* values = texts.data();
  hsize_t size = texts.size();
  if (!value.integers.empty()) {
    type = H5T_NATIVE_INT64;
    values = value.integers.data();
    size = value.integers.size();
  } else if (!value.reals.empty()) {
    type = H5T_NATIVE_DOUBLE;
    values = value.reals.data();
    size = value.reals.size();
  }
  const Handle space(size == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &size, nullptr));
  const Handle attribute(H5Acreate2(file_, name.c_str(), type, space.get(), H5P_DEFAULT, H5P_DEFAULT));
  need(attribute && (size == 0 || H5Awrite(attribute.get(), type, values) >= 0), "attribute " + name);
}

namespace {

// A contiguous dataset with its place in the file from the start, and nothing written into it.
Handle make_dataset(hid_t file, const std::string& name, hid_t type, const std::vector<std::int64_t>& shape) {
  const std::vector<hsize_t> size(shape.begin(), shape.end());
  const Handle space(H5Screate_simple(static_cast<int>(size.size()), size.data(), nullptr));
  const Handle links(H5Pcreate(H5P_LINK_CREATE));
  H5Pset_create_intermediate_group(links.get(), 1);
  const Handle creation(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_layout(creation.get(), H5D_CONTIGUOUS);
  H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY);
  H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER);
  return Handle(H5Dcreate2(file, name.c_str(), type, space.get(), links.get(), creation.get(), H5P_DEFAULT));
}

}  // namespace

std::int64_t StructureWriter::dataset(const std::string& name, Element element, std::int64_t element_bytes,
                                      const std::vector<std::int64_t>& shape) {
  const auto dataset = make_dataset(file_, name, type_of(element, element_bytes).get(), shape);
  need(static_cast<bool>(dataset), "dataset /" + name);
  std::int64_t bytes = element_bytes;
  for (const auto size : shape) bytes *= size;
  if (bytes == 0) return 0;
  const auto offset = H5Dget_offset(dataset.get());
  need(offset != HADDR_UNDEF, "dataset /" + name);
  extents_.push_back({static_cast<std::int64_t>(offset), bytes});
  return extents_.back().offset;
}

std::int64_t StructureWriter::checks(const std::string& name, std::int64_t count) {
  const auto checks_name = std::string(schema::checksums) + "/" + name;
  const auto dataset = make_dataset(file_, checks_name, H5T_STD_U32LE, {count});
  const auto offset = dataset ? H5Dget_offset(dataset.get()) : HADDR_UNDEF;
  need(offset != HADDR_UNDEF, "dataset /" + checks_name);
  return static_cast<std::int64_t>(offset);
}

std::vector<Extent> StructureWriter::finish() {
  const FileCall call("H5Fclose", name_);
  need(H5Fflush(file_, H5F_SCOPE_GLOBAL) >= 0, "flushing");
  need(H5Fclose(std::exchange(file_, -1)) >= 0, "closing");
  return std::move(extents_);
}

}  // namespace cohort::h5
