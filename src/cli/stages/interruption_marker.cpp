#include "cli/stages/interruption_marker.hpp"

#include <spdlog/spdlog.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <system_error>

#include "core/error.hpp"
#include "core/output_file.hpp"
#include "store/directory_lock.hpp"

namespace cohort {

namespace {

using Json = nlohmann::ordered_json;

std::string marker_path(const Session& session) {
  return session.path("interrupted.json");
}

// Rank 0's alone. A run that was interrupted stays one, also where there is no room to say so.
void leave_marker(const Session& session, const Interrupted& interrupted) {
  try {
    const Json marker{
        {"job", job_name()}, {"progress", session.has_progressed()}, {"how_to_go_on", interrupted.how_to_go_on()}};
    OutputFile file(marker_path(session));
    file.write(marker.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    file.commit();
  } catch (const std::exception& error) {
    spdlog::warn("{} is not written: {}", marker_path(session), error.what());
  }
}

}  // namespace

void with_marker(const Session& session, const std::function<void()>& body) {
  const auto& comm = session.comm();
  comm.attempt([&] {
    if (!comm.is_root()) return;
    std::error_code error;
    std::filesystem::remove(marker_path(session), error);
    if (error) throw InputError("cannot remove " + marker_path(session) + ": " + error.message());
  });
  try {
    body();
  } catch (const Interrupted& interrupted) {
    if (comm.is_root()) leave_marker(session, interrupted);
    throw;
  }
}

InterruptionMarker read_marker(const Session& session) {
  std::string text;
  if (session.comm().is_root()) {
    std::ostringstream content;
    content << std::ifstream(marker_path(session)).rdbuf();
    text = content.str();
  }
  const auto json = Json::parse(session.comm().broadcast(std::move(text)), nullptr, false);
  InterruptionMarker marker;
  if (!json.is_object()) return marker;
  const auto progress = json.find("progress");
  const auto how = json.find("how_to_go_on");
  if (progress == json.end() || !progress->is_boolean() || how == json.end() || !how->is_string()) return marker;
  return {true, progress->get<bool>(), how->get<std::string>()};
}

}  // namespace cohort
