#include "compositor/config/config_watcher.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <sys/inotify.h>
#include <unistd.h>

namespace vitrine {

ConfigWatcher::ConfigWatcher(wl_event_loop& loop, std::function<void()> onWritten)
    : loop_(loop), onWritten_(std::move(onWritten)) {}

ConfigWatcher::~ConfigWatcher() {
  if (source_ != nullptr) wl_event_source_remove(source_);
}

Result<> ConfigWatcher::watch(const std::filesystem::path& file) {
  if (source_ != nullptr) wl_event_source_remove(source_);
  source_ = nullptr;
  watched_.clear();
  inotify_ = UniqueFd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (inotify_.get() < 0) return systemError("inotify_init1", file.string());
  std::error_code ignored;
  std::vector<std::filesystem::path> files{std::filesystem::absolute(file, ignored)};
  if (const auto target = std::filesystem::canonical(file, ignored); !ignored && target != files.front())
    files.push_back(target);
  for (const std::filesystem::path& each : files) {
    // Not IN_CREATE: the file has no content yet.
    const int added =
        ::inotify_add_watch(inotify_.get(), each.parent_path().c_str(), IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR);
    if (added < 0) return systemError("inotify_add_watch", each.parent_path().string());
    watched_.push_back({added, each.filename()});
  }
  source_ = wl_event_loop_add_fd(
      &loop_, inotify_.get(), WL_EVENT_READABLE,
      [](int, uint32_t, void* data) {
        static_cast<ConfigWatcher*>(data)->onReadable();
        return 0;
      },
      this);
  return {};
}

void ConfigWatcher::onReadable() {
  alignas(inotify_event) std::array<char, 4096> buffer{};
  bool written = false;
  for (ssize_t got = ::read(inotify_.get(), buffer.data(), buffer.size()); got > 0;
       got = ::read(inotify_.get(), buffer.data(), buffer.size())) {
    for (ssize_t at = 0; at < got;) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* name = event.len > 0 ? buffer.data() + at + sizeof event : "";
      at += static_cast<ssize_t>(sizeof event + event.len);
      written = written || std::ranges::any_of(watched_, [&](const Watched& each) {
                  return each.descriptor == event.wd && each.name == name;
                });
    }
  }
  if (written) onWritten_();
}

} // namespace vitrine
