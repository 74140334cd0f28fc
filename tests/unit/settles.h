#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <utility>

#include "tests/unit/open_fds.h"
#include "tests/unit/vulkan_interposer.h"

namespace vitrine::test {

/**
 * Runs `round`, which ends with the GPU idle, until it leaves as many files open and driver's objects alive as it
 * found. A frame that is in flight for the first time makes what it keeps (Mesa's timeline semaphores keep a fence for
 * each, too), and when that is, is the GPU's business; what leaks does so in every round, and never settles.
 */
inline void expectSettles(const std::function<void()>& round, const std::string& what) {
  constexpr int patience = 12; ///< more rounds than there are ever frames in flight
  std::vector<std::string> filesBefore;
  std::vector<std::string> files = openFds();
  int64_t objectsBefore = 0;
  int64_t objects = driverCalls().liveObjects;
  for (int i = 0; i < patience; ++i) {
    filesBefore = std::exchange(files, {});
    objectsBefore = objects;
    round();
    if (testing::Test::HasFatalFailure()) return;
    files = openFds();
    objects = driverCalls().liveObjects;
    if (files == filesBefore && objects == objectsBefore) return;
  }
  EXPECT_EQ(files, filesBefore) << what << ", each time";
  EXPECT_EQ(objects, objectsBefore) << what << ", each time";
}

} // namespace vitrine::test
