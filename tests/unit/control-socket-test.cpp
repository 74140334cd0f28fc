#include <algorithm>
#include <cstring>
#include <filesystem>
#include <format>
#include <functional>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "compositor/control/control_socket.h"
#include "compositor/control/session_control.h"

namespace vitrine {
namespace {

using nlohmann::ordered_json;

/** An end of a connection, that is never waited for. */
class Peer {
public:
  explicit Peer(const std::filesystem::path& path)
      : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    connected = ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  /** How many bytes the socket took. */
  size_t write(std::string_view text) const {
    const ssize_t done = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    return done < 0 ? 0 : static_cast<size_t>(done);
  }
  /** Reads all that there is. */
  void read() {
    char buffer[65536];
    ssize_t got = 0;
    while ((got = ::recv(fd_.get(), buffer, sizeof buffer, 0)) > 0)
      received.append(buffer, static_cast<size_t>(got));
    if (got == 0) ended = true;
  }
  [[nodiscard]] size_t lines() const { return static_cast<size_t>(std::ranges::count(received, '\n')); }
  void close() { fd_.reset(); }

  std::string received;
  bool connected = false;
  bool ended = false;

private:
  UniqueFd fd_;
};

class Control : public testing::Test {
protected:
  void SetUp() override {
    auto opened = ControlSocket::open(*loop_, path_,
                                      {[this](std::string_view request) { return answer(request); },
                                       [this] { return std::format("report {}", state); }});
    ASSERT_TRUE(opened) << opened.error().text();
    socket_ = std::move(*opened);
  }
  void TearDown() override {
    socket_.reset();
    wl_event_loop_destroy(loop_);
  }

  ControlSocket::Reply answer(std::string_view request) {
    answered++;
    if (request == "large") return {std::string(size_t{8} << 20, 'x')};
    return {std::format("re: {}", request), request == "watch"};
  }
  /** Turns the loop until the condition holds; false where it does not in many turns. */
  bool turnUntil(const std::function<bool()>& holds) {
    for (int turn = 0; turn < 4000; ++turn) {
      if (holds()) return true;
      wl_event_loop_dispatch(loop_, 5);
    }
    return false;
  }
  bool turnUntil(Peer& peer, const std::function<bool()>& holds) {
    return turnUntil([&] {
      peer.read();
      return holds();
    });
  }

  wl_event_loop* loop_ = wl_event_loop_create();
  std::filesystem::path path_ = std::filesystem::temp_directory_path() / std::format("control-test-{}", ::getpid());
  std::unique_ptr<ControlSocket> socket_;
  int answered = 0;
  int state = 0;
};

TEST_F(Control, AnswersLineByLine) {
  Peer peer(path_);
  peer.write("one\ntw");
  ASSERT_TRUE(turnUntil(peer, [&] { return peer.lines() == 1; }));
  peer.write("o\nthree\n");
  ASSERT_TRUE(turnUntil(peer, [&] { return peer.lines() == 3; }));
  EXPECT_EQ(peer.received, "re: one\nre: two\nre: three\n");
  peer.close();
  EXPECT_TRUE(turnUntil([&] { return socket_->clients() == 0; }));
}

TEST_F(Control, BelongsToItsUserAlone) {
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  EXPECT_EQ(status.st_uid, ::geteuid());
}

TEST_F(Control, IsGoneAfterwardsAndReplacesOneThatWasLeft) {
  socket_.reset();
  EXPECT_FALSE(std::filesystem::exists(path_));
  ASSERT_EQ(::mknod(path_.c_str(), S_IFSOCK | 0600, 0), 0);
  SetUp();
  EXPECT_TRUE(Peer(path_).connected);
}

TEST_F(Control, ATooLongRequestEndsTheConnection) {
  Peer peer(path_);
  const std::string longest(ControlSocket::longestRequest, 'a');
  peer.write(longest + "\n");
  ASSERT_TRUE(turnUntil(peer, [&] { return peer.lines() == 1; }));
  EXPECT_EQ(peer.received, "re: " + longest + "\n");
  peer.received.clear();
  peer.write(longest + "b\nnext\n");
  ASSERT_TRUE(turnUntil(peer, [&] { return peer.ended; }));
  EXPECT_EQ(peer.received, "{\"ok\":false,\"error\":\"a request has at most 4096 bytes\"}\n");
  EXPECT_EQ(answered, 1);
}

TEST_F(Control, ARequestWithoutAnEndEndsTheConnection) {
  Peer peer(path_);
  ASSERT_TRUE(turnUntil(peer, [&] {
    peer.write(std::string(1000, 'a'));
    return peer.ended;
  }));
  EXPECT_EQ(answered, 0);
  EXPECT_EQ(socket_->clients(), 0U);
}

TEST_F(Control, AClientThatDoesNotReadGetsOneReplyAndNoMore) {
  Peer lazy(path_);
  std::string requests;
  for (int i = 0; i < 100; ++i)
    requests += "large\n";
  lazy.write(requests);
  ASSERT_TRUE(turnUntil([&] { return answered == 1; }));
  Peer other(path_);
  for (int i = 1; i <= 50; ++i) { // the other client is served all the time
    other.write("x\n");
    ASSERT_TRUE(turnUntil(other, [&] { return other.lines() == static_cast<size_t>(i); }));
  }
  EXPECT_EQ(answered, 51);
  lazy.close();
  EXPECT_TRUE(turnUntil([&] { return socket_->clients() == 1; }));
}

TEST_F(Control, AFloodIsServedARequestAtATime) {
  Peer peer(path_);
  std::string requests;
  for (int i = 0; i < 1000; ++i)
    requests += "x\n";
  ASSERT_EQ(peer.write(requests), requests.size());
  int most = 0;
  ASSERT_TRUE(turnUntil([&] {
    const int before = answered;
    wl_event_loop_dispatch(loop_, 5);
    most = std::max(most, answered - before);
    peer.read();
    return answered == 1000;
  }));
  EXPECT_EQ(most, 1);
}

TEST_F(Control, TooManyConnectionsAreRefused) {
  std::vector<std::unique_ptr<Peer>> peers;
  for (size_t i = 0; i < ControlSocket::mostClients; ++i)
    peers.push_back(std::make_unique<Peer>(path_));
  ASSERT_TRUE(turnUntil([&] { return socket_->clients() == ControlSocket::mostClients; }));
  Peer surplus(path_);
  ASSERT_TRUE(turnUntil(surplus, [&] { return surplus.ended; }));
  EXPECT_EQ(surplus.received, "{\"ok\":false,\"error\":\"too many connections\"}\n");
  peers.pop_back();
  ASSERT_TRUE(turnUntil([&] { return socket_->clients() == ControlSocket::mostClients - 1; }));
  Peer next(path_);
  next.write("x\n");
  EXPECT_TRUE(turnUntil(next, [&] { return next.lines() == 1; }));
}

TEST_F(Control, WatchersAreToldWhatChanges) {
  Peer peer(path_);
  peer.write("watch\n");
  ASSERT_TRUE(turnUntil(peer, [&] { return peer.lines() == 2; }));
  EXPECT_EQ(peer.received, "re: watch\nreport 0\n");
  state = 1;
  ASSERT_TRUE(turnUntil(peer, [&] { return peer.lines() == 3; }));
  peer.write("x\n"); // and served all the same
  ASSERT_TRUE(turnUntil(peer, [&] { return peer.lines() == 4; }));
  EXPECT_EQ(peer.received, "re: watch\nreport 0\nreport 1\nre: x\n");
}

/** A session without anything in it. */
SessionControl emptySession(std::vector<Action>& performed) {
  return SessionControl({.outputs = [] { return ordered_json::array(); },
                         .windows = [] { return ordered_json::array({{{"title", "a\xff\nb"}}}); },
                         .counters = [] { return ordered_json::object(); },
                         .actions = [] { return ordered_json::array(); },
                         .perform =
                             [&performed](const Action& action) {
                               performed.push_back(action);
                               return Result<>();
                             },
                         .reload = [] { return Result<>(invalid("read config", "x:1:1", "wrong")); }});
}

TEST(SessionControl, EachRequestHasItsReply) {
  std::vector<Action> performed;
  const SessionControl control = emptySession(performed);
  const std::string all =
      "the requests are version, status, outputs, windows, counters, actions, action, reload and watch";
  const std::string noRequest = R"({"ok":false,"error":"a request is a JSON object with the string \"request\""})";
  const std::pair<std::string, std::string> cases[] = {
      {R"({"request":"version"})", std::format(R"({{"ok":true,"version":"{}","protocol":1}})", VITRINE_VERSION)},
      {R"({"request":"outputs","id":[1,"a"]})", R"({"ok":true,"outputs":[],"id":[1,"a"]})"},
      {R"({"request":"windows"})", "{\"ok\":true,\"windows\":[{\"title\":\"a\ufffd\\nb\"}]}"},
      {R"({"request":"action","action":"snap left"})", R"({"ok":true})"},
      {R"({"request":"action","action":"fly"})",
       R"({"ok":false,"error":"read action fly: there is no such action; the actions are )"},
      {R"({"request":"action","action":1})",
       R"({"ok":false,"error":"the request \"action\" needs the string \"action\""})"},
      {R"({"request":"action"})", R"({"ok":false,"error":"the request \"action\" needs the string \"action\""})"},
      {R"({"request":"reload"})", R"({"ok":false,"error":"read config x:1:1: wrong"})"},
      {R"({"request":"fly"})", R"({"ok":false,"error":"there is no request \"fly\"; )" + all + "\"}"},
      {R"({"request":1})", noRequest},
      {R"(["request"])", noRequest},
      {"", noRequest},
      {"rubbish", noRequest},
      {std::string(2000, '['), noRequest},
      {"\xff\xfe", noRequest},
  };
  for (const auto& [request, reply] : cases) {
    const ControlSocket::Reply got = control.answer(request);
    EXPECT_TRUE(got.text.starts_with(reply)) << request << "\n" << got.text << "\n" << reply;
    EXPECT_FALSE(got.text.contains('\n')) << request;
    EXPECT_FALSE(got.watches) << request;
  }
  EXPECT_EQ(performed, (std::vector<Action>{{ActionKind::Snap, "left"}}));
  EXPECT_TRUE(control.answer(R"({"request":"watch"})").watches);
}

} // namespace
} // namespace vitrine
