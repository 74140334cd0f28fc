#include <gtest/gtest.h>

#include <csignal>
#include <cstring>
#include <string>

#include <unistd.h>

#include "protected-path/base/unique_fd.h"
#include "tests/board/common/watched_child.h"

namespace vitrine {
namespace {

using How = WatchedEnd::How;

constexpr Nanoseconds second = 1'000'000'000;
constexpr Nanoseconds long_ = 60 * second; ///< only a hang reaches it

void say(int fd, std::string_view text) {
  ASSERT_EQ(write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

WatchedEnd run(const std::function<int(int)>& body, const Watch& watch) {
  auto end = runWatched(body, watch);
  EXPECT_TRUE(end) << end.error().text();
  return end ? *end : WatchedEnd{};
}

TEST(WatchedChild, GivesStatusAndAllItsOutput) {
  const std::string much(1 << 20, 'x'); // more than a pipe holds
  const WatchedEnd end = run(
      [&](int output) {
        size_t at = 0;
        while (at < much.size()) {
          const ssize_t part = write(output, much.data() + at, much.size() - at);
          if (part <= 0) return 99;
          at += static_cast<size_t>(part);
        }
        return 7;
      },
      {long_, -1});
  EXPECT_EQ(end.how, How::Exited);
  EXPECT_EQ(end.number, 7);
  EXPECT_EQ(end.output, much);
}

TEST(WatchedChild, ACrashIsASignal) {
  const WatchedEnd end = run(
      [](int output) {
        say(output, "before");
        std::signal(SIGABRT, SIG_DFL);
        kill(getpid(), SIGABRT);
        return 0;
      },
      {long_, -1});
  EXPECT_EQ(end.how, How::Signalled);
  EXPECT_EQ(end.number, SIGABRT);
  EXPECT_EQ(end.output, "before");
}

TEST(WatchedChild, AHangIsEndedAtItsLimitEvenIfItIgnoresSigterm) {
  const WatchedEnd end = run(
      [](int output) {
        std::signal(SIGTERM, SIG_IGN);
        say(output, "begun");
        for (;;)
          pause();
        return 0;
      },
      {second / 10, -1});
  EXPECT_EQ(end.how, How::TimedOut);
  EXPECT_FALSE(end.stuck);
  EXPECT_EQ(end.output, "begun");
}

TEST(WatchedChild, AStopRequestEndsItAndWhatItStarted) {
  std::array<int, 2> stop{};
  std::array<int, 2> alive{};
  ASSERT_EQ(pipe(stop.data()), 0);
  ASSERT_EQ(pipe(alive.data()), 0);
  const WatchedEnd end = run(
      [&](int) {
        close(alive[0]);
        if (fork() == 0)
          for (;;)
            pause();
        say(stop[1], "x"); // as a signal would, once the grandchild is there
        for (;;)
          pause();
        return 0;
      },
      {long_, stop[0]});
  EXPECT_EQ(end.how, How::Interrupted);
  close(alive[1]);
  char byte = 0;
  EXPECT_EQ(read(alive[0], &byte, 1), 0) << "the end of the file comes when no process holds the other end any more";
  for (const int fd : {stop[0], stop[1], alive[0]})
    close(fd);
}

TEST(WatchedChild, WhatAChildLeavesBehindEndsWithIt) {
  std::array<int, 2> alive{};
  ASSERT_EQ(pipe(alive.data()), 0);
  const WatchedEnd end = run(
      [&](int output) {
        close(alive[0]);
        close(output);
        if (fork() == 0)
          for (;;)
            pause();
        return 0;
      },
      {long_, -1});
  EXPECT_EQ(end.how, How::Exited);
  close(alive[1]);
  char byte = 0;
  EXPECT_EQ(read(alive[0], &byte, 1), 0);
  close(alive[0]);
}

} // namespace
} // namespace vitrine
