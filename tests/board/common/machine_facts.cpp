#include "tests/board/common/machine_facts.h"

#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>
#include <sched.h>
#include <sys/utsname.h>

namespace vitrine {
namespace {

/** A file's text without the newlines and NULs at its end; empty where it cannot be read. */
std::string readText(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  std::string result = text.str();
  while (!result.empty() && (result.back() == '\n' || result.back() == '\0'))
    result.pop_back();
  return result;
}

/** A device tree property that is a list of strings, each ended by a NUL. */
std::vector<std::string> readStrings(const std::filesystem::path& file) {
  std::vector<std::string> list;
  std::istringstream text(readText(file));
  for (std::string item; std::getline(text, item, '\0');)
    list.push_back(item);
  return list;
}

std::string cpuName(const std::filesystem::path& file) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    const size_t colon = line.find(':');
    if (line.starts_with("model name") && colon != std::string::npos && colon + 2 <= line.size())
      return line.substr(colon + 2);
  }
  return {};
}

unsigned usableCpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? static_cast<unsigned>(CPU_COUNT(&set)) : 0;
}

} // namespace

MachineFacts readMachineFacts(const std::filesystem::path& root) {
  MachineFacts facts;
  utsname name{};
  if (uname(&name) == 0) {
    facts.kernel = name.release;
    facts.kernelBuild = name.version;
    facts.architecture = name.machine;
  }
  const auto tree = root / "proc/device-tree";
  facts.model = readText(tree / "model");
  if (facts.model.empty()) facts.model = readText(root / "sys/class/dmi/id/product_name");
  facts.compatible = readStrings(tree / "compatible");
  facts.cpu = cpuName(root / "proc/cpuinfo");
  facts.cpus = usableCpus();
  facts.cpuGovernor = readText(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  facts.clockSource = readText(root / "sys/devices/system/clocksource/clocksource0/current_clocksource");
  return facts;
}

nlohmann::json machineJson(const MachineFacts& facts) {
  return {{"kernel", facts.kernel}, {"kernel_build", facts.kernelBuild}, {"architecture", facts.architecture},
          {"model", facts.model},   {"compatible", facts.compatible},    {"cpu", facts.cpu},
          {"cpus", facts.cpus},     {"cpu_governor", facts.cpuGovernor}, {"clock_source", facts.clockSource}};
}

MachineFacts machineFromJson(const nlohmann::json& json) {
  MachineFacts facts;
  facts.kernel = json.value("kernel", "");
  facts.kernelBuild = json.value("kernel_build", "");
  facts.architecture = json.value("architecture", "");
  facts.model = json.value("model", "");
  facts.compatible = json.value("compatible", std::vector<std::string>());
  facts.cpu = json.value("cpu", "");
  facts.cpus = json.value("cpus", 0U);
  facts.cpuGovernor = json.value("cpu_governor", "");
  facts.clockSource = json.value("clock_source", "");
  return facts;
}

} // namespace vitrine
