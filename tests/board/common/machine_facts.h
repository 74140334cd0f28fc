#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace vitrine {

/**
 * On what a report was made. Two reports are about the same kind of machine if model, compatible, cpu and cpus agree;
 * the kernel is what one wants to compare.
 */
struct MachineFacts {
  std::string kernel;                  ///< uname -r
  std::string kernelBuild;             ///< uname -v
  std::string architecture;            ///< uname -m
  std::string model;                   ///< device tree's `model`, else DMI's product name; empty where there is neither
  std::vector<std::string> compatible; ///< device tree's root `compatible`, most special first
  std::string cpu;                     ///< /proc/cpuinfo's model name; empty where it has none
  unsigned cpus = 0;                   ///< that this process may use
  std::string cpuGovernor;             ///< of the first one; empty without cpufreq
  std::string clockSource;             ///< of the kernel's clocks (tsc, arch_sys_counter …); empty where it is not told

  bool operator==(const MachineFacts&) const = default;
};

/** Reads them below `root`, which tests set. What cannot be read stays empty; that is no error. */
[[nodiscard]] MachineFacts readMachineFacts(const std::filesystem::path& root = "/");

/** An object with the members of MachineFacts in snake_case. */
[[nodiscard]] nlohmann::json machineJson(const MachineFacts& facts);
/** Its inverse; absent members stay empty. */
[[nodiscard]] MachineFacts machineFromJson(const nlohmann::json& json);

} // namespace vitrine
