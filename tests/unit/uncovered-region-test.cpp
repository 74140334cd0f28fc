#include "compositor/output/uncovered_region.h"

#include <gtest/gtest.h>

#include <array>
#include <bitset>
#include <random>

// Opaque boxes take parts of a region away, from the highest layer to the lowest.

namespace vitrine::test {
namespace {

constexpr Rect screen{0, 0, 64, 48};

TEST(UncoveredRegion, SeveralBoxesHideTogether) {
  UncoveredRegion uncovered({&screen, 1});
  constexpr Rect below{10, 10, 30, 20};
  uncovered.cover({0, 0, 25, 48});
  EXPECT_TRUE(uncovered.meets(below));
  uncovered.cover({25, 0, 14, 48});
  EXPECT_TRUE(uncovered.meets(below)) << "one column is left";
  uncovered.cover({39, 0, 1, 48});
  EXPECT_FALSE(uncovered.meets(below));
  EXPECT_FALSE(uncovered.empty());
  uncovered.cover({40, -5, 100, 100});
  EXPECT_TRUE(uncovered.empty());
}

TEST(UncoveredRegion, OutsideOfItsBoxesNothingIsMet) {
  const std::array<Rect, 2> boxes = {Rect{0, 0, 8, 8}, Rect{20, 20, 8, 8}};
  const UncoveredRegion uncovered(boxes);
  EXPECT_TRUE(uncovered.meets({7, 7, 100, 100}));
  EXPECT_FALSE(uncovered.meets({8, 8, 12, 12})) << "between the boxes";
  EXPECT_FALSE(uncovered.meets({4, 4, 0, 10})) << "an empty box";
  EXPECT_TRUE(UncoveredRegion({}).empty());
}

TEST(UncoveredRegion, SaysOfNothingThatIsToBeSeenThatItIsHidden) {
  std::mt19937 random(1);
  const auto upTo = [&random](int limit) { return std::uniform_int_distribution<int>(0, limit)(random); };
  for (int scene = 0; scene < 200; ++scene) {
    UncoveredRegion uncovered({&screen, 1});
    std::bitset<64 * 48> hidden;
    for (int layer = 0; layer < 400; ++layer) {
      const int most = scene % 2 == 0 ? 20 : 3; // small boxes leave more pieces than the region keeps
      const Rect box = intersect({upTo(63), upTo(47), 1 + upTo(most), 1 + upTo(most)}, screen);
      bool isSeen = false;
      for (int y = box.y; y < box.bottom(); ++y)
        for (int x = box.x; x < box.right(); ++x) {
          const auto pixel = static_cast<size_t>(y * screen.width + x);
          isSeen = isSeen || !hidden[pixel];
          if (layer % 3 != 0) hidden.set(pixel);
        }
      if (isSeen) {
        ASSERT_TRUE(uncovered.meets(box)) << scene << ": " << layer;
      }
      if (layer % 3 != 0) uncovered.cover(box);
    }
  }
}

} // namespace
} // namespace vitrine::test
