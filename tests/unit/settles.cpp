#include "tests/unit/settles.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "tests/unit/open_fds.h"
#include "tests/unit/vulkan_interposer.h"

namespace vitrine::test {

void expectSettles(const std::function<void()>& round, const std::string& what) {
  constexpr int patience = 12; ///< more rounds than there are ever frames in flight
  std::vector<std::string> most = openFds();
  int64_t mostObjects = driverCalls().liveObjects;
  for (int i = 0; i < patience; ++i) {
    round();
    if (testing::Test::HasFatalFailure()) return;
    std::vector<std::string> files = openFds();
    const int64_t objects = driverCalls().liveObjects;
    if (files.size() <= most.size() && objects <= mostObjects) return;
    if (i + 1 == patience) {
      EXPECT_EQ(files, most) << what << ", each time";
      EXPECT_EQ(objects, mostObjects) << what << ", each time";
    }
    if (files.size() > most.size()) most = std::move(files);
    mostObjects = std::max(mostObjects, objects);
  }
}

} // namespace vitrine::test
