#pragma once

#include <string>
#include <vector>

#include "protected-path/base/unique_fd.h"

namespace vitrine::bench {

/** A process that has a DRM node open. */
struct DrmClient {
  std::string command;
  int pid = 0;
  bool master = false; ///< known from debugfs alone
};

/** Reads /sys/kernel/debug/dri/N/clients. Pure; lines that it does not understand are left out. */
[[nodiscard]] std::vector<DrmClient> parseDrmClients(const std::string& text);

/**
 * Opens a KMS node and becomes DRM master. System error with EBUSY where another process is it: the text names that process
 * (debugfs) or, without debugfs, all processes that have the node open as far as /proc may be read.
 */
[[nodiscard]] Result<UniqueFd> openAsMaster(const std::string& node);

} // namespace vitrine::bench
