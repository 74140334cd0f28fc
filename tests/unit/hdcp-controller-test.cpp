#include <gtest/gtest.h>

#include "protected-path/kms/hdcp_controller.h"

namespace vitrine {
namespace {

using State = HdcpController::State;
constexpr Nanoseconds second = HdcpController::second;

/** A controller, a clock, and a receiver that a test plays by setting `property`. */
struct Hdcps : testing::Test {
  HdcpController controller;
  HdcpController::Input input{
      .least = Hdcp::Type0, .supported = Hdcp::Type1, .property = ContentProtection::Undesired, .now = 1000 * second};

  bool update() { return controller.update(input); }
  /** Lets the clock run to the controller's deadline. */
  void untilDeadline() {
    ASSERT_TRUE(controller.deadline());
    input.now = *controller.deadline();
    update();
  }
  void kernelSays(ContentProtection property) {
    input.property = property;
    update();
  }
  void expect(State state, Hdcp request, Hdcp link) {
    EXPECT_STREQ(hdcpStateName(controller.state()), hdcpStateName(state));
    EXPECT_STREQ(hdcpName(controller.request()), hdcpName(request));
    EXPECT_STREQ(hdcpName(controller.link()), hdcpName(link));
  }
};

TEST_F(Hdcps, NothingIsAskedForWhereNothingNeedsIt) {
  input.least = Hdcp::Off;
  EXPECT_FALSE(update());
  expect(State::Off, Hdcp::Off, Hdcp::Off);
  EXPECT_FALSE(controller.deadline());
}

TEST_F(Hdcps, NothingIsAskedForWhereTheConnectorHasNone) {
  input.supported = Hdcp::Off;
  EXPECT_FALSE(update());
  expect(State::Off, Hdcp::Off, Hdcp::Off);
}

TEST_F(Hdcps, TheHighestTypeIsAskedForFirst) {
  EXPECT_TRUE(update());
  expect(State::Asking, Hdcp::Type1, Hdcp::Off);
  kernelSays(ContentProtection::Desired);
  expect(State::Asking, Hdcp::Type1, Hdcp::Off);
  kernelSays(ContentProtection::Enabled);
  expect(State::Enabled, Hdcp::Type1, Hdcp::Type1);
  EXPECT_FALSE(controller.deadline());
  EXPECT_FALSE(update());
}

TEST_F(Hdcps, TypeZeroFollowsARefusalOfTypeOne) {
  update();
  input.now += HdcpController::answerLimit - 1;
  EXPECT_FALSE(update());
  untilDeadline();
  expect(State::Asking, Hdcp::Type0, Hdcp::Off);
  kernelSays(ContentProtection::Enabled);
  expect(State::Enabled, Hdcp::Type0, Hdcp::Type0);
}

TEST_F(Hdcps, TypeZeroIsNotAskedForWhereItIsOfNoUse) {
  input.least = Hdcp::Type1;
  update();
  untilDeadline();
  expect(State::Waiting, Hdcp::Off, Hdcp::Off);
}

TEST_F(Hdcps, AConnectorThatKnowsNoTypesIsAskedForTypeZero) {
  input.supported = Hdcp::Type0;
  update();
  expect(State::Asking, Hdcp::Type0, Hdcp::Off);
  untilDeadline();
  expect(State::Waiting, Hdcp::Off, Hdcp::Off);
}

TEST_F(Hdcps, EachWaitIsTwiceAsLongUpToALimit) {
  update();
  Nanoseconds expected = HdcpController::firstWait;
  for (int round = 0; round < 9; ++round) {
    untilDeadline(); // type 0
    untilDeadline(); // waiting
    expect(State::Waiting, Hdcp::Off, Hdcp::Off);
    EXPECT_EQ(*controller.deadline() - input.now, expected);
    expected = std::min(2 * expected, HdcpController::longestWait);
    untilDeadline();
    expect(State::Asking, Hdcp::Type1, Hdcp::Off);
  }
}

TEST_F(Hdcps, ALostLinkIsWorthNothingAtOnceAndComesBackLater) {
  update();
  kernelSays(ContentProtection::Enabled);
  kernelSays(ContentProtection::Desired);
  expect(State::Waiting, Hdcp::Off, Hdcp::Off); // the request is withdrawn: drivers authenticate once for each
  input.property = ContentProtection::Undesired;
  untilDeadline();
  expect(State::Asking, Hdcp::Type1, Hdcp::Off);
  kernelSays(ContentProtection::Enabled);
  expect(State::Enabled, Hdcp::Type1, Hdcp::Type1);
}

TEST_F(Hdcps, AStableLinkForgivesEarlierFailures) {
  update();
  for (const auto& [lasted, wait] :
       {std::pair{1 * second, 1 * second}, {1 * second, 2 * second}, {HdcpController::stableAfter, 1 * second}}) {
    kernelSays(ContentProtection::Enabled);
    input.now += lasted;
    kernelSays(ContentProtection::Desired);
    EXPECT_EQ(*controller.deadline() - input.now, wait);
    untilDeadline();
  }
}

TEST_F(Hdcps, TypeZeroGoesWhenAllContentNeedsTypeOne) {
  input.supported = Hdcp::Type1;
  update();
  untilDeadline();
  kernelSays(ContentProtection::Enabled);
  expect(State::Enabled, Hdcp::Type0, Hdcp::Type0);
  input.least = Hdcp::Type1;
  update();
  expect(State::Waiting, Hdcp::Off, Hdcp::Off);
}

TEST_F(Hdcps, HdcpLingersAfterTheLastContent) {
  update();
  kernelSays(ContentProtection::Enabled);
  input.least = Hdcp::Off;
  EXPECT_FALSE(update());
  EXPECT_EQ(*controller.deadline(), input.now + HdcpController::linger);
  untilDeadline();
  expect(State::Off, Hdcp::Off, Hdcp::Off);
}

TEST_F(Hdcps, AModesetStartsTheAuthenticationAgain) {
  update();
  kernelSays(ContentProtection::Enabled);
  controller.linkRestarted(input.now);
  expect(State::Asking, Hdcp::Type1, Hdcp::Off);
  kernelSays(ContentProtection::Desired);
  expect(State::Asking, Hdcp::Type1, Hdcp::Off);
  kernelSays(ContentProtection::Enabled);
  expect(State::Enabled, Hdcp::Type1, Hdcp::Type1);
}

TEST_F(Hdcps, ARequestThatCannotBeCommittedIsMadeAgainLater) {
  update();
  controller.requestFailed(input.now);
  expect(State::Waiting, Hdcp::Off, Hdcp::Off);
  untilDeadline();
  expect(State::Asking, Hdcp::Type1, Hdcp::Off);
}

} // namespace
} // namespace vitrine
