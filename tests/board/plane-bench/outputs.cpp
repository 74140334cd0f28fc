#include "tests/board/plane-bench/outputs.h"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include <unistd.h>

#include "tests/board/plane-bench/metric_limits.h"
#include "tests/board/plane-bench/report.h"
#include "tests/board/plane-bench/run_json.h"

namespace vitrine::bench {
namespace {

Result<> writeText(const std::string& file, const std::string& text) {
  if (file.empty()) return {};
  errno = 0;
  if (file == "-") {
    std::cout << text << std::flush;
    if (!std::cout) return systemError("write", "stdout", errno != 0 ? errno : EIO);
    return {};
  }
  std::ofstream stream(file);
  stream << text << std::flush;
  if (!stream) return systemError("write", file, errno != 0 ? errno : EIO);
  return {};
}

Result<std::vector<Limit>> readLimits(const std::string& file) {
  const auto text = readWholeFile(file);
  if (!text) return std::unexpected(text.error());
  return parseLimits(*text, file);
}

} // namespace

Result<std::string> readWholeFile(const std::string& file) {
  std::ostringstream text;
  errno = 0;
  if (file == "-") {
    text << std::cin.rdbuf();
    return text.str();
  }
  std::ifstream stream(file);
  if (stream.peek() != std::ifstream::traits_type::eof()) text << stream.rdbuf();
  if (!stream.is_open() || stream.bad() || (errno != 0 && text.str().empty()))
    return systemError("read", file, errno != 0 ? errno : EIO);
  return text.str();
}

Result<> checkOutputs(const Outputs& outputs) {
  unsigned onStdout = outputs.limits.empty() ? 0 : 1;
  for (const std::string& file : {outputs.json, outputs.csv, outputs.html}) {
    if (file == "-") ++onStdout;
    if (file.empty() || file == "-") continue;
    // Its folder where it is not there yet: nothing may be left behind where nothing is measured.
    const bool isThere = access(file.c_str(), F_OK) == 0;
    const std::string folder = std::filesystem::path(file).parent_path().string();
    if (access(isThere ? file.c_str() : folder.empty() ? "." : folder.c_str(), W_OK) != 0)
      return systemError("write", file);
    if (std::error_code ignored; std::filesystem::is_directory(file, ignored))
      return systemError("write", file, EISDIR);
  }
  if (onStdout > 1) return invalid("parse", "--json, --csv, --html, --tap", "more than one of them goes to stdout");
  if (outputs.limits.empty()) return {};
  if (auto limits = readLimits(outputs.limits); !limits) return std::unexpected(limits.error());
  return {};
}

Result<bool> writeOutputs(const BenchRun& run, const Outputs& outputs) {
  if (auto written = writeText(outputs.json, outputs.json.empty() ? "" : runToJson(run)); !written)
    return std::unexpected(written.error());
  if (auto written = writeText(outputs.csv, outputs.csv.empty() ? "" : runToCsv(run)); !written)
    return std::unexpected(written.error());
  if (auto written = writeText(outputs.html, outputs.html.empty() ? "" : runToHtml(run)); !written)
    return std::unexpected(written.error());
  if (!outputs.usesStdout()) {
    if (auto written = writeText("-", runToText(run)); !written) return std::unexpected(written.error());
  }
  if (outputs.limits.empty()) return true;
  const auto limits = readLimits(outputs.limits);
  if (!limits) return std::unexpected(limits.error());
  const LimitReport report = judgeLimits(run, *limits);
  if (auto written = writeText("-", report.tap); !written) return std::unexpected(written.error());
  return report.passed;
}

} // namespace vitrine::bench
