// Settings by name that come with the program: the files of presets/, which are built in.
#pragma once

#include <string>
#include <string_view>

namespace cohort {

/// TOML. Throws InputError where there is none of that name; names the others. Local.
std::string_view preset_text(const std::string& name);

}  // namespace cohort
