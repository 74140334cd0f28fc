#include <gtest/gtest.h>

#include "compositor/protocols/global_policy.h"

namespace vitrine {
namespace {

TEST(GlobalPolicy, EachHasAReason) {
  for (const GlobalPolicy& policy : globalPolicies()) {
    EXPECT_FALSE(policy.reason.empty()) << policy.interface;
    EXPECT_EQ(globalPolicyOf(policy.interface), &policy) << policy.interface;
  }
}

TEST(GlobalPolicy, ASandboxedClientSeesWhatIsForEverybody) {
  EXPECT_TRUE(sandboxMaySee("wl_compositor", {}));
  EXPECT_FALSE(sandboxMaySee("zwlr_screencopy_manager_v1", {}));
}

TEST(GlobalPolicy, AnUnknownInterfaceIsWithheld) {
  EXPECT_EQ(globalPolicyOf("acme_screen_reader_v1"), nullptr);
  EXPECT_FALSE(sandboxMaySee("acme_screen_reader_v1", {}));
  EXPECT_FALSE(sandboxMaySee("acme_screen_reader_v1", {.sandboxAllow = {"acme_screen_reader_v1"}, .sandboxDeny = {}}));
  EXPECT_FALSE(sandboxMaySee("", {}));
}

TEST(GlobalPolicy, TheUserAddsAndTakesAway) {
  const SecuritySettings settings{.sandboxAllow = {"zwlr_screencopy_manager_v1", "zwlr_layer_shell_v1"},
                                  .sandboxDeny = {"wl_data_device_manager", "zwlr_layer_shell_v1"}};
  EXPECT_TRUE(sandboxMaySee("zwlr_screencopy_manager_v1", settings));
  EXPECT_FALSE(sandboxMaySee("wl_data_device_manager", settings));
  EXPECT_FALSE(sandboxMaySee("zwlr_layer_shell_v1", settings)) << "denied counts more";
}

} // namespace
} // namespace vitrine
