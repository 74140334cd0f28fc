#include "tests/unit/settles.h"

#include <gtest/gtest.h>

#include <utility>

#include "tests/unit/open_fds.h"
#include "tests/unit/vulkan_interposer.h"

namespace vitrine::test {

void expectSettles(const std::function<void()>& round, const std::string& what) {
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
