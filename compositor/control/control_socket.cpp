#include "compositor/control/control_socket.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "protected-path/base/log.h"

namespace vitrine {
namespace {

constexpr int pauseMilliseconds = 1;          ///< after each request of a client
constexpr int watchMilliseconds = 250;        ///< between two reports
constexpr int acceptAgainMilliseconds = 1000; ///< after file descriptors ran out

bool isOurUser(int fd) {
  ucred peer{};
  socklen_t length = sizeof peer;
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && (peer.uid == ::geteuid() || peer.uid == 0);
}

} // namespace

ControlSocket::Client::~Client() {
  if (source != nullptr) wl_event_source_remove(source);
}

ControlSocket::ControlSocket(wl_event_loop& loop, std::filesystem::path path, Handlers handlers)
    : loop_(loop), path_(std::move(path)), handlers_(std::move(handlers)),
      watchTimer_(loop, *this, [](ControlSocket& self) { self.reportToWatchers(); }),
      acceptTimer_(loop, *this,
                   [](ControlSocket& self) { wl_event_source_fd_update(self.source_, WL_EVENT_READABLE); }) {}

ControlSocket::~ControlSocket() {
  clients_.clear();
  if (source_ != nullptr) wl_event_source_remove(source_);
  if (fd_.get() >= 0) ::unlink(path_.c_str());
}

Result<std::unique_ptr<ControlSocket>> ControlSocket::open(wl_event_loop& loop, const std::filesystem::path& path,
                                                           Handlers handlers) {
  std::unique_ptr<ControlSocket> socket(new ControlSocket(loop, path, std::move(handlers)));
  if (auto done = socket->listen(); !done) return std::unexpected(done.error());
  return socket;
}

Result<> ControlSocket::listen() {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (path_.string().size() >= sizeof address.sun_path) return systemError("bind", path_.string(), ENAMETOOLONG);
  std::memcpy(address.sun_path, path_.c_str(), path_.string().size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) return systemError("socket", path_.string());
  ::unlink(path_.c_str());
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return systemError("bind", path_.string());
  fd_ = std::move(fd); // from now on, the file is ours to remove
  // Nobody can connect before listen().
  if (::chmod(path_.c_str(), S_IRUSR | S_IWUSR) != 0) return systemError("chmod", path_.string());
  if (::listen(fd_.get(), mostClients) != 0) return systemError("listen", path_.string());
  source_ = wl_event_loop_add_fd(
      &loop_, fd_.get(), WL_EVENT_READABLE,
      [](int, uint32_t, void* data) {
        static_cast<ControlSocket*>(data)->accept();
        return 0;
      },
      this);
  return {};
}

void ControlSocket::accept() {
  UniqueFd fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (fd.get() < 0) {
    if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR) return;
    log("control").warn("{}", systemError("accept", path_.string()).error().text());
    wl_event_source_fd_update(source_, 0); // the connection waits, and so would the event loop without end
    acceptTimer_.start(acceptAgainMilliseconds);
    return;
  }
  if (!isOurUser(fd.get())) return;
  if (clients_.size() >= mostClients) {
    constexpr std::string_view full = "{\"ok\":false,\"error\":\"too many connections\"}\n";
    static_cast<void>(::send(fd.get(), full.data(), full.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
    return;
  }
  Client& client =
      *clients_.emplace_back(new Client{.socket = *this, .fd = std::move(fd), .in = {}, .out = {}, .lastReported = {}});
  client.source = wl_event_loop_add_fd(
      &loop_, client.fd.get(), WL_EVENT_READABLE,
      [](int, uint32_t mask, void* data) {
        auto* served = static_cast<Client*>(data);
        served->socket.onClient(*served, mask);
        return 0;
      },
      &client);
}

void ControlSocket::onClient(Client& client, uint32_t mask) {
  const bool lost = (mask & WL_EVENT_ERROR) != 0 || ((mask & WL_EVENT_HANGUP) != 0 && (mask & WL_EVENT_READABLE) == 0);
  if (lost || ((mask & WL_EVENT_READABLE) != 0 && !read(client)) || !serve(client)) drop(client);
}

/** False: the client is gone. Called only when no request of it waits. */
bool ControlSocket::read(Client& client) {
  std::array<char, longestRequest> buffer{};
  const ssize_t got = ::recv(client.fd.get(), buffer.data(), buffer.size(), 0);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  client.in.append(buffer.data(), static_cast<size_t>(got));
  return got > 0;
}

/** Serves at most one request, and waits for what is to happen next. False: the connection ends. */
bool ControlSocket::serve(Client& client) {
  if (!flush(client)) return false;
  const bool hasRequest = client.in.contains('\n') || client.in.size() > longestRequest;
  if (client.out.empty() && !client.ends && hasRequest) {
    answerNext(client);
    if (!flush(client)) return false;
    client.pause.start(pauseMilliseconds);
    wl_event_source_fd_update(client.source, client.out.empty() ? 0U : uint32_t{WL_EVENT_WRITABLE});
    return !client.ends || !client.out.empty();
  }
  if (client.ends && client.out.empty()) return false;
  wl_event_source_fd_update(client.source, client.out.empty() ? WL_EVENT_READABLE : WL_EVENT_WRITABLE);
  return true;
}

bool ControlSocket::flush(Client& client) {
  while (!client.out.empty()) {
    const ssize_t sent = ::send(client.fd.get(), client.out.data(), client.out.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    client.out.erase(0, static_cast<size_t>(sent));
  }
  return true;
}

void ControlSocket::answerNext(Client& client) {
  const size_t end = client.in.find('\n');
  if (end == std::string::npos || end > longestRequest) {
    client.out = "{\"ok\":false,\"error\":\"a request has at most 4096 bytes\"}\n";
    client.ends = true;
    return;
  }
  const std::string request = client.in.substr(0, end);
  client.in.erase(0, end + 1);
  Reply reply = handlers_.answer(request);
  client.out = std::move(reply.text) + "\n";
  if (!reply.watches || std::exchange(client.watches, true)) return;
  watchTimer_.start(1);
}

void ControlSocket::reportToWatchers() {
  const auto watches = [](const auto& client) { return client->watches; };
  if (std::ranges::none_of(clients_, watches)) return;
  const std::string report = handlers_.report() + "\n";
  for (auto next = clients_.begin(); next != clients_.end();) {
    Client& client = **next++;
    if (!client.watches || !client.out.empty() || client.lastReported == report) continue;
    client.out = client.lastReported = report;
    if (!flush(client)) {
      drop(client);
    } else if (!client.out.empty()) {
      wl_event_source_fd_update(client.source, WL_EVENT_WRITABLE);
    }
  }
  watchTimer_.start(watchMilliseconds);
}

void ControlSocket::drop(Client& client) {
  std::erase_if(clients_, [&](const auto& each) { return each.get() == &client; });
}

} // namespace vitrine
