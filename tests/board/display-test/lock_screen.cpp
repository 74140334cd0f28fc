#include "tests/board/display-test/lock_screen.h"

#include <array>
#include <csignal>
#include <string_view>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace vitrine::display_test {
namespace {

/** The client that locks, in the locker's process. */
class Locker {
public:
  Locker(std::unique_ptr<WaylandConnection> connection, int toCase)
      : connection_(std::move(connection)), toCase_(toCase) {}
  Result<> lock(const Colour& colour);
  Result<> unlock();

private:
  Result<> waitFor(const std::function<bool()>& done);
  static const ext_session_lock_v1_listener lockListener;
  static const ext_session_lock_surface_v1_listener surfaceListener;
  static const wp_presentation_feedback_listener feedbackListener;
  std::unique_ptr<WaylandConnection> connection_;
  int toCase_;
  WaylandPtr<ext_session_lock_manager_v1> manager_;
  WaylandPtr<wl_surface> surface_;
  WaylandPtr<ext_session_lock_surface_v1> shown_;
  WaylandPtr<struct wp_presentation_feedback> feedback_;
  std::optional<ShmBuffer> buffer_;
  ext_session_lock_v1* lock_ = nullptr; ///< its destructor depends on what the compositor has said
  Size size_;
  bool locked_ = false;
  bool refused_ = false;
  bool presented_ = false;
};

const ext_session_lock_v1_listener Locker::lockListener = {
    .locked = [](void* data, ext_session_lock_v1*) { static_cast<Locker*>(data)->locked_ = true; },
    .finished = [](void* data, ext_session_lock_v1*) { static_cast<Locker*>(data)->refused_ = true; },
};

const ext_session_lock_surface_v1_listener Locker::surfaceListener = {
    .configure =
        [](void* data, ext_session_lock_surface_v1* surface, uint32_t serial, uint32_t width, uint32_t height) {
          static_cast<Locker*>(data)->size_ = {width, height};
          ext_session_lock_surface_v1_ack_configure(surface, serial);
        },
};

const wp_presentation_feedback_listener Locker::feedbackListener = {
    .sync_output = [](void*, struct wp_presentation_feedback*, wl_output*) {},
    .presented = [](void* data, struct wp_presentation_feedback*, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t,
                    uint32_t, uint32_t) { static_cast<Locker*>(data)->presented_ = true; },
    .discarded = [](void*, struct wp_presentation_feedback*) {},
};

/** Errors: the connection's; EINTR if the case has ended or wants the unlock. Missing: the compositor refuses it. */
Result<> Locker::waitFor(const std::function<bool()>& done) {
  while (!done()) {
    pollfd link{toCase_, POLLIN, 0};
    if (poll(&link, 1, 0) > 0) return systemError("lock", "the session", EINTR);
    if (refused_) return missing("lock", "the session", "the compositor refuses: it is locked already");
    if (auto dispatched = connection_->dispatch(-1, toCase_); !dispatched) return dispatched;
  }
  return {};
}

Result<> Locker::lock(const Colour& colour) {
  WaylandGlobals& globals = connection_->globals();
  manager_ = connection_->bindFirst<ext_session_lock_manager_v1>(ext_session_lock_manager_v1_interface, 1);
  if (!manager_ || !globals.output) return missing("bind", "ext_session_lock_manager_v1", "the compositor lacks it");
  lock_ = ext_session_lock_manager_v1_lock(manager_.get());
  ext_session_lock_v1_add_listener(lock_, &lockListener, this);
  surface_.reset(wl_compositor_create_surface(globals.compositor.get()));
  shown_.reset(ext_session_lock_v1_get_lock_surface(lock_, surface_.get(), globals.output.get()));
  ext_session_lock_surface_v1_add_listener(shown_.get(), &surfaceListener, this);
  const Size none;
  if (auto configured = waitFor([&] { return size_ != none; }); !configured) return configured;
  auto buffer = paint(*connection_, size_, colour);
  if (!buffer) return std::unexpected(buffer.error());
  buffer_.emplace(std::move(*buffer));
  feedback_.reset(wp_presentation_feedback(globals.presentation.get(), surface_.get()));
  wp_presentation_feedback_add_listener(feedback_.get(), &feedbackListener, this);
  wl_surface_attach(surface_.get(), buffer_->object(), 0, 0);
  wl_surface_damage_buffer(surface_.get(), 0, 0, static_cast<int32_t>(size_.width), static_cast<int32_t>(size_.height));
  wl_surface_commit(surface_.get());
  return waitFor([this] { return locked_ && presented_; });
}

Result<> Locker::unlock() {
  while (lock_ != nullptr && !locked_ && !refused_) // an unlock before that is an error of the protocol
    if (auto done = connection_->dispatch(-1); !done) return done;
  if (!locked_) return {};
  ext_session_lock_v1_unlock_and_destroy(lock_);
  return connection_->roundtrip();
}

void send(int to, std::string_view text) {
  // The case may be gone.
  [[maybe_unused]] const ssize_t sent = ::send(to, text.data(), text.size(), MSG_NOSIGNAL);
}

/** The locker's process. It sends the case one text after the lock (`locked`, or the error), and `unlocked` at its end. */
[[noreturn]] void beLocker(const Colour& colour, int toCase) {
  setsid(); // what ends the case's processes does not end this one
  std::signal(SIGPIPE, SIG_IGN);
  if (dup2(toCase, 3) != 3 || close_range(4, ~0U, 0) != 0) _exit(1);
  constexpr int link = 3;
  auto connection = WaylandConnection::open();
  if (!connection) {
    send(link, connection.error().text());
    _exit(1);
  }
  Locker locker(std::move(*connection), link);
  const auto locked = locker.lock(colour);
  send(link, locked ? "locked" : locked.error().text());
  std::array<char, 1> ignored{};
  while (locked && read(link, ignored.data(), ignored.size()) < 0 && errno == EINTR) {
  }
  if (locker.unlock()) send(link, "unlocked");
  _exit(0);
}

/** What the locker says next. */
std::string hear(int link) {
  std::array<char, 512> text{};
  const ssize_t got = read(link, text.data(), text.size());
  return got > 0 ? std::string(text.data(), static_cast<size_t>(got)) : std::string("it has ended");
}

} // namespace

Result<LockScreen> LockScreen::lock(const Colour& colour) {
  std::array<int, 2> ends{-1, -1};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return systemError("socketpair", "to the locker");
  UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  const pid_t child = fork();
  if (child < 0) return systemError("fork", "locker");
  if (child == 0) {
    ours.reset();
    beLocker(colour, theirs.get());
  }
  theirs.reset();
  const std::string answer = hear(ours.get());
  if (answer != "locked") return missing("lock", "the session", answer);
  return LockScreen(std::move(ours));
}

Result<> LockScreen::unlock() {
  shutdown(locker_.get(), SHUT_WR);
  const std::string answer = hear(locker_.get());
  locker_.reset();
  if (answer != "unlocked") return invalid("unlock", "the session", answer);
  return {};
}

} // namespace vitrine::display_test
