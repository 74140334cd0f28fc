#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "compositor/wlr/wlroots.h"
#include "protected-path/base/result.h"
#include "protected-path/base/unique_fd.h"

namespace vitrine {

/**
 * Tells when a file was written. It watches the file's folder, because many editors write another file and rename it, and the folder
 * of the file that a symbolic link leads to.
 */
class ConfigWatcher {
public:
  /** `onWritten` is called from the event loop, once for all that happened since its last turn. */
  ConfigWatcher(wl_event_loop& loop, std::function<void()> onWritten);
  ConfigWatcher(const ConfigWatcher&) = delete;
  ~ConfigWatcher();

  /** Watches this file instead of the last one. It need not exist; its folder has to. Errors: System. */
  [[nodiscard]] Result<> watch(const std::filesystem::path& file);

private:
  struct Watched {
    int descriptor; ///< of inotify
    std::filesystem::path name;
  };
  void onReadable();

  wl_event_loop& loop_;
  std::function<void()> onWritten_;
  UniqueFd inotify_;
  wl_event_source* source_ = nullptr;
  std::vector<Watched> watched_;
};

} // namespace vitrine
