#include "compositor/ctl/control_client.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/un.h>

namespace vitrine {

Result<ControlClient> ControlClient::connect(const std::string& path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (path.size() >= sizeof address.sun_path) return systemError("connect", path, ENAMETOOLONG);
  std::memcpy(address.sun_path, path.c_str(), path.size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return systemError("socket", path);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return systemError("connect", path, 0, "is that session running?");
  return ControlClient(std::move(fd));
}

Result<std::string> ControlClient::takeLine() {
  if (!hasLine()) {
    std::array<char, 65536> buffer{};
    const ssize_t got = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) return std::string();
    if (got < 0) return systemError("recv", "the control socket");
    if (got == 0) return missing("read", "the control socket", "the session has ended");
    received_.append(buffer.data(), static_cast<size_t>(got));
  }
  const size_t end = received_.find('\n');
  if (end == std::string::npos) return std::string();
  std::string line = received_.substr(0, end);
  received_.erase(0, end + 1);
  return line;
}

Result<nlohmann::ordered_json> ControlClient::ask(const nlohmann::ordered_json& request) {
  const std::string line = request.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  size_t sent = 0;
  while (sent < line.size()) {
    const ssize_t done = ::send(fd_.get(), line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return systemError("send", "the control socket");
    sent += static_cast<size_t>(done);
  }
  for (;;) {
    const auto got = takeLine();
    if (!got) return std::unexpected(got.error());
    if (got->empty()) continue;
    const auto reply = nlohmann::ordered_json::parse(*got, nullptr, false);
    if (!reply.is_object() || !reply.contains("ok")) return invalid("read", "the reply", "it is not one: " + *got);
    if (reply["ok"] == true) return reply;
    const auto error = reply.find("error");
    return invalid("ask", "the session", error != reply.end() && error->is_string() ? error->get<std::string>() : *got);
  }
}

} // namespace vitrine
