#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "compositor/actions/bindings.h"
#include "compositor/input/device_settings.h"
#include "compositor/input/keymap.h"
#include "compositor/output/output.h"
#include "compositor/protocols/global_policy.h"

namespace vitrine {

/** How far a configuration is checked. */
enum class ConfigCheck {
  Text,    ///< what it says
  Machine, ///< and that what it names is there: the file of heap overrides, the keyboard's keymap
};

/**
 * What a user may choose. Nothing here is needed for a right decision (R10); the defaults are what an empty file means.
 *
 * The file is TOML; configs/vitrine.toml documents every key. An unknown key, a wrong type or an impossible value is an error that
 * names file, line and column.
 */
struct Config {
  std::string logLevels = "info";
  std::filesystem::path heapOverrides; ///< see HeapTable::addOverrides; empty: none
  std::string vulkanDevice;            ///< part of a device's name; empty: the best one
  bool vulkanValidation = false;
  SecuritySettings security;                ///< [security]
  std::string terminal = "foot";            ///< what the action `terminal` starts
  bool xwayland = false;                    ///< whether X11 programs are served
  bool kioskVtSwitch = false;               ///< [kiosk] whether keys switch the virtual terminal
  Bindings bindings = Bindings::defaults(); ///< [bindings] and [mouse_bindings], on top of the defaults
  KeymapNames keymap;
  int repeatRate = 25;                           ///< per second
  int repeatDelay = 600;                         ///< milliseconds
  DeviceSettings anyDevice;                      ///< [input]
  std::map<std::string, DeviceSettings> devices; ///< [input.NAME], on top of [input]
  OutputSettings anyOutput;                      ///< [output]
  std::map<std::string, OutputSettings> outputs; ///< [output.NAME], on top of [output]

  bool operator==(const Config&) const = default;

  [[nodiscard]] const OutputSettings& settingsFor(const std::string& connector) const {
    const auto found = outputs.find(connector);
    return found != outputs.end() ? found->second : anyOutput;
  }

  /** `device`: its name, as libinput has it. */
  [[nodiscard]] const DeviceSettings& settingsForDevice(const std::string& device) const {
    const auto found = devices.find(device);
    return found != devices.end() ? found->second : anyDevice;
  }

  /** Errors: a file that cannot be read, and parse()'s. */
  [[nodiscard]] static Result<Config> load(const std::filesystem::path& file, ConfigCheck check = ConfigCheck::Text);
  [[nodiscard]] static Result<Config> parse(std::string_view text, const std::string& fileName,
                                            ConfigCheck check = ConfigCheck::Text);

  /**
   * The file to load where none is named: $XDG_CONFIG_HOME/vitrine/vitrine.toml, ~/.config/vitrine/vitrine.toml,
   * /etc/xdg/vitrine/vitrine.toml; empty where there is none.
   */
  [[nodiscard]] static std::filesystem::path find();
  /** Where a user's file belongs, present or not; empty if XDG_CONFIG_HOME and HOME are both unset. */
  [[nodiscard]] static std::filesystem::path userFile();
};

/** Sets the log levels of a configuration, then of VITRINE_LOG, then of the command line. Error: Invalid: VITRINE_LOG is wrong. */
[[nodiscard]] Result<> applyLogLevels(const Config& config, const std::string& commandLine);

/** The sections that only count from the next start on, and that differ. */
[[nodiscard]] std::vector<std::string> changesForNextStart(const Config& now, const Config& next);

} // namespace vitrine
