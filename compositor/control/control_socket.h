#pragma once

#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "compositor/wlr/timer.h"
#include "compositor/wlr/wlroots.h"
#include "protected-path/base/result.h"
#include "protected-path/base/unique_fd.h"

namespace vitrine {

/**
 * The socket that vitrinectl talks to: one line of text is a request, one line the reply. It belongs to the session's user alone (mode
 * 0600, and the peer's user is checked). vitrine-control(7) documents the lines.
 *
 * No client can slow the compositor: it is served one request per millisecond, a request has at most `longestRequest` bytes, nothing
 * is read from a client that has not taken its last reply, and there are at most `mostClients`.
 */
class ControlSocket {
public:
  struct Reply {
    std::string text;     ///< one line, without its end
    bool watches = false; ///< the client gets report() from now on, whenever it changes
  };
  struct Handlers {
    std::function<Reply(std::string_view request)> answer;
    std::function<std::string()> report; ///< one line for those who watch, without its end
  };
  static constexpr size_t longestRequest = 4096;
  static constexpr size_t mostClients = 16;

  /** Listens at `path`; a socket that was left there is replaced. Errors: System. */
  [[nodiscard]] static Result<std::unique_ptr<ControlSocket>>
  open(wl_event_loop& loop, const std::filesystem::path& path, Handlers handlers);
  ControlSocket(const ControlSocket&) = delete;
  /** Ends all connections and removes the socket. */
  ~ControlSocket();

  [[nodiscard]] size_t clients() const { return clients_.size(); }

private:
  struct Client {
    ControlSocket& socket;
    UniqueFd fd;
    wl_event_source* source = nullptr;
    Timer pause{socket.loop_, *this, [](Client& self) { self.socket.onClient(self, 0); }}; ///< until the next request
    std::string in;
    std::string out;
    bool watches = false;
    bool ends = false;        ///< once `out` is sent
    std::string lastReported; ///< to one that watches
    ~Client();
  };
  ControlSocket(wl_event_loop& loop, std::filesystem::path path, Handlers handlers);
  Result<> listen();
  void accept();
  void onClient(Client& client, uint32_t mask);
  [[nodiscard]] bool read(Client& client);
  [[nodiscard]] bool serve(Client& client);
  [[nodiscard]] bool flush(Client& client);
  void answerNext(Client& client);
  void reportToWatchers();
  void drop(Client& client);

  wl_event_loop& loop_;
  std::filesystem::path path_;
  Handlers handlers_;
  UniqueFd fd_;
  wl_event_source* source_ = nullptr;
  Timer watchTimer_;  ///< runs while somebody watches
  Timer acceptTimer_; ///< after accept() failed
  std::list<std::unique_ptr<Client>> clients_;
};

} // namespace vitrine
