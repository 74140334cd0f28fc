#include <drm_fourcc.h>

#include <algorithm>
#include <cmath>

#include "protected-path/render/placeholder.h"
#include "tests/unit/renderer_fixture.h"
#include "tests/unit/vulkan_interposer.h"

// Compares drawn pictures, pixel by pixel, with references that share no code with the renderer.

namespace vitrine::test {
namespace {

constexpr Picture::Pixel grey{0x80, 0x80, 0x80, 0xff};

using Drawing = RendererTest;

TEST_F(Drawing, listsWhatEveryMachineNeeds) {
  const auto has = [](std::span<const FormatModifier> list, uint32_t fourcc) {
    return std::ranges::find(list, FormatModifier{fourcc, DRM_FORMAT_MOD_LINEAR}) != list.end();
  };
  for (const uint32_t fourcc : {DRM_FORMAT_ARGB8888, DRM_FORMAT_XRGB8888}) {
    EXPECT_TRUE(has(renderer().targetFormats(), fourcc)) << fourccName(fourcc);
    EXPECT_TRUE(std::ranges::find(renderer().uploadFormats(), fourcc) != renderer().uploadFormats().end());
  }
  for (const uint32_t fourcc : {DRM_FORMAT_ARGB8888, DRM_FORMAT_XBGR8888, DRM_FORMAT_RGB565, DRM_FORMAT_XRGB2101010,
                                DRM_FORMAT_NV12, DRM_FORMAT_NV16, DRM_FORMAT_P010, DRM_FORMAT_YUV420}) {
    EXPECT_TRUE(has(renderer().sampledFormats(), fourcc)) << fourccName(fourcc);
  }
}

TEST_F(Drawing, solidFillsItsBoxOnly) {
  const DrawCommand command{.destination = {3, 5, 20, 10}, .color = {1, 0.5F, 0, 1}};
  const Picture result = draw(Picture(40, 30, grey), {&command, 1});
  for (int y = 0; y < 30; ++y) {
    for (int x = 0; x < 40; ++x) {
      const bool inside = x >= 3 && x < 23 && y >= 5 && y < 15;
      ASSERT_EQ(result.at(x, y), (inside ? Picture::Pixel{0, 128, 255, 255} : grey)) << x << "," << y;
    }
  }
}

TEST_F(Drawing, textureAtOneToOneIsExact) {
  const Picture picture = testPicture(67, 43, 1, true);
  for (const uint32_t fourcc : {DRM_FORMAT_ARGB8888, DRM_FORMAT_XRGB8888}) {
    TestBuffer buffer = TestBuffer::from(picture, fourcc);
    const auto source = texture(buffer);
    const DrawCommand command = textureCommand(*source, {5, 7, 67, 43});
    const Picture result = draw(Picture(80, 60, grey), {&command, 1});
    for (int y = 0; y < 43; ++y) {
      for (int x = 0; x < 67; ++x)
        ASSERT_EQ(result.at(x + 5, y + 7), picture.at(x, y)) << x << "," << y;
    }
    EXPECT_EQ(result.at(4, 7), grey);
    EXPECT_EQ(result.at(72, 50), grey);
  }
}

TEST_F(Drawing, opaqueFormatsIgnoreTheirAlphaByte) {
  TestBuffer buffer = TestBuffer::from(Picture(8, 8, {10, 20, 30, 0}), DRM_FORMAT_XRGB8888);
  const auto source = texture(buffer);
  const DrawCommand command = textureCommand(*source, {0, 0, 8, 8});
  EXPECT_EQ(draw(Picture(8, 8, grey), {&command, 1}).at(4, 4), (Picture::Pixel{10, 20, 30, 255}));
}

TEST_F(Drawing, allEightTransformsAreExactAtOneToOne) {
  const Picture picture = testPicture(33, 20, 2, true);
  TestBuffer buffer = TestBuffer::from(picture, DRM_FORMAT_ARGB8888);
  const auto source = texture(buffer);
  for (unsigned number = 0; number < 8; ++number) {
    const auto transform = static_cast<Transform>(number);
    const Picture expected = turned(picture, transform);
    DrawCommand command = textureCommand(*source, {0, 0, expected.width, expected.height});
    command.transform = transform;
    EXPECT_EQ(draw(Picture(expected.width, expected.height), {&command, 1}), expected) << "transform " << number;
  }
}

/** Bilinear filtering: the mean of the four pixels around each point, weighted by distance. Edges repeat. */
Picture scaled(const Picture& picture, int width, int height) {
  Picture result(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double fromX = (x + 0.5) * picture.width / width - 0.5;
      const double fromY = (y + 0.5) * picture.height / height - 0.5;
      const int left = static_cast<int>(std::floor(fromX));
      const int top = static_cast<int>(std::floor(fromY));
      for (size_t channel = 0; channel < 4; ++channel) {
        double sum = 0;
        for (int row = top; row <= top + 1; ++row) {
          for (int column = left; column <= left + 1; ++column) {
            const double weight = (1 - std::abs(fromX - column)) * (1 - std::abs(fromY - row));
            sum += weight * picture.at(std::clamp(column, 0, picture.width - 1),
                                       std::clamp(row, 0, picture.height - 1))[channel];
          }
        }
        result.at(x, y)[channel] = static_cast<uint8_t>(std::lround(sum));
      }
    }
  }
  return result;
}

Picture cropped(const Picture& picture, const Rect& box) {
  Picture result(box.width, box.height);
  for (int y = 0; y < box.height; ++y) {
    for (int x = 0; x < box.width; ++x)
      result.at(x, y) = picture.at(box.x + x, box.y + y);
  }
  return result;
}

TEST_F(Drawing, scalesBilinearly) {
  const Picture picture = testPicture(61, 37, 3, true);
  TestBuffer buffer = TestBuffer::from(picture, DRM_FORMAT_ARGB8888);
  const auto source = texture(buffer);
  for (const Size size : {Size{122, 74}, Size{200, 50}, Size{40, 30}, Size{61, 90}, Size{7, 5}}) {
    for (unsigned number = 0; number < 8; ++number) {
      const int width = static_cast<int>(size.width);
      const int height = static_cast<int>(size.height);
      DrawCommand command = textureCommand(*source, {0, 0, width, height});
      command.transform = static_cast<Transform>(number);
      const Picture expected = scaled(turned(picture, command.transform), width, height);
      EXPECT_GE(psnr(draw(Picture(width, height), {&command, 1}), expected), 45)
          << width << "x" << height << " transform " << number;
    }
  }
}

TEST_F(Drawing, cropReadsNothingOutside) {
  const Picture picture = testPicture(64, 48, 4, true);
  TestBuffer buffer = TestBuffer::from(picture, DRM_FORMAT_ARGB8888);
  const auto source = texture(buffer);
  const Rect crop{10, 20, 16, 12};
  for (const bool nearest : {false, true}) {
    DrawCommand command = textureCommand(*source, {0, 0, 64, 48});
    command.source = {Fixed16_16::fromInt(10), Fixed16_16::fromInt(20), Fixed16_16::fromInt(16),
                      Fixed16_16::fromInt(12)};
    command.nearest = nearest;
    const Picture result = draw(Picture(64, 48), {&command, 1});
    const Picture part = cropped(picture, crop);
    if (nearest) {
      for (int y = 0; y < 48; ++y) {
        for (int x = 0; x < 64; ++x)
          ASSERT_EQ(result.at(x, y), part.at(x / 4, y / 4)) << x << "," << y;
      }
    } else {
      EXPECT_GE(psnr(result, scaled(part, 64, 48)), 45);
    }
  }
}

TEST_F(Drawing, blendsPremultipliedAndModulates) {
  const Picture below = testPicture(50, 40, 5, true);
  const Picture above = testPicture(50, 40, 6, false);
  TestBuffer buffer = TestBuffer::from(above, DRM_FORMAT_ARGB8888);
  const auto source = texture(buffer);
  for (const float alpha : {1.0F, 0.5F, 0.0F}) {
    DrawCommand command = textureCommand(*source, {0, 0, 50, 40});
    command.alpha = alpha;
    Picture expected = below;
    for (size_t i = 0; i < expected.pixels.size(); ++i) {
      const double coverage = above.pixels[i][3] / 255.0 * double{alpha};
      for (size_t channel = 0; channel < 4; ++channel) {
        const double value = above.pixels[i][channel] * double{alpha} + below.pixels[i][channel] * (1 - coverage);
        expected.pixels[i][channel] = static_cast<uint8_t>(std::lround(value));
      }
    }
    EXPECT_LE(largestDifference(draw(below, {&command, 1}), expected), 1) << "alpha " << alpha;
    if (alpha != 1) continue;
    command.blend = false;
    EXPECT_EQ(draw(below, {&command, 1}), above) << "replacing";
  }
}

TEST_F(Drawing, translucentSolidIsStraightAlpha) {
  const DrawCommand command{.destination = {0, 0, 8, 8}, .color = {1, 0, 0, 0.5F}};
  const Picture result = draw(Picture(8, 8, {0, 0, 0, 255}), {&command, 1});
  EXPECT_NEAR(result.at(3, 3)[2], 128, 1);
  EXPECT_EQ(result.at(3, 3)[0], 0);
}

TEST_F(Drawing, holeIsTransparentBlack) {
  const DrawCommand commands[] = {{.destination = {0, 0, 30, 30}, .color = {1, 1, 1, 1}},
                                  {.kind = DrawCommand::Kind::Hole, .destination = {10, 10, 5, 5}}};
  const Picture result = draw(Picture(30, 30, grey), commands);
  for (int y = 0; y < 30; ++y) {
    for (int x = 0; x < 30; ++x) {
      const bool hole = x >= 10 && x < 15 && y >= 10 && y < 15;
      ASSERT_EQ(result.at(x, y), (hole ? Picture::Pixel{0, 0, 0, 0} : Picture::Pixel{255, 255, 255, 255}));
    }
  }
}

TEST_F(Drawing, nothingOutsideTheDamageIsTouched) {
  const Picture background = testPicture(60, 50, 7, true);
  TestBuffer buffer = TestBuffer::from(background, DRM_FORMAT_ARGB8888);
  const auto drawn = target(buffer);
  const Rect damage[] = {{5, 5, 10, 10}, {30, 20, 7, 25}, {50, 45, 100, 100}};
  const DrawCommand command{.destination = {-10, -10, 200, 200}, .color = {0, 1, 0, 1}};
  const uint64_t before = renderer().counters().pixelsDrawn;
  compose(*drawn, {&command, 1}, damage);
  const Picture result = buffer.picture();
  uint64_t inside = 0;
  for (int y = 0; y < 50; ++y) {
    for (int x = 0; x < 60; ++x) {
      const bool damaged = std::ranges::any_of(damage, [&](const Rect& box) { return box.contains({x, y, 1, 1}); });
      inside += damaged ? 1 : 0;
      ASSERT_EQ(result.at(x, y), (damaged ? Picture::Pixel{0, 255, 0, 255} : background.at(x, y))) << x << "," << y;
    }
  }
  EXPECT_EQ(renderer().counters().pixelsDrawn - before, inside);
}

TEST_F(Drawing, placeholderIsFixedToTheTarget) {
  const DrawCommand commands[] = {{.kind = DrawCommand::Kind::Placeholder, .destination = {7, 3, 50, 20}},
                                  {.kind = DrawCommand::Kind::Placeholder, .destination = {57, 3, 40, 60}}};
  const Picture result = draw(Picture(100, 70, grey), commands);
  for (int y = 0; y < 70; ++y) {
    for (int x = 0; x < 100; ++x) {
      const bool inside = y >= 3 && ((x >= 7 && x < 57 && y < 23) || (x >= 57 && x < 97 && y < 63));
      const auto& rgb = placeholderPixel(x, y);
      ASSERT_EQ(result.at(x, y), (inside ? Picture::Pixel{rgb[2], rgb[1], rgb[0], 255} : grey)) << x << "," << y;
    }
  }
}

TEST_F(Drawing, contentIsLoadedOnlyWhereItIsSeenAgain) {
  const bool gpu = renderer().device().gpu.present; // pixman has no passes
  const Rect all{0, 0, 40, 30};
  const DrawCommand whole{.destination = {-5, -5, 60, 60}, .color = {0, 0, 1, 1}, .blend = false};
  const DrawCommand opaque{.destination = {-5, -5, 60, 60}, .color = {0, 0, 1, 1}};
  const DrawCommand part{.destination = {0, 0, 39, 30}, .color = {0, 1, 0, 1}, .blend = false};
  const DrawCommand veil{.destination = all, .color = {0, 1, 0, 0.5F}};
  const DrawCommand hole{.kind = DrawCommand::Kind::Hole, .destination = all};
  const DrawCommand placeholder{.kind = DrawCommand::Kind::Placeholder, .destination = all};
  DrawCommand faint = placeholder;
  faint.alpha = 0.5F;
  TestBuffer content = TestBuffer::from(Picture(40, 30, {9, 9, 9, 9}), DRM_FORMAT_ARGB8888);
  const auto source = texture(content);
  const DrawCommand over = textureCommand(*source, all);
  DrawCommand replacing = over;
  replacing.blend = false;
  const struct {
    const char* name;
    std::vector<DrawCommand> commands;
    std::vector<Rect> damage;
    bool replaced;
  } cases[] = {{"a background", {whole, part}, {all}, true},
               {"an opaque colour", {opaque}, {all}, true},
               {"a part of the target", {part}, {{0, 0, 20, 30}}, true},
               {"a background that is drawn last", {veil, whole}, {all}, true},
               {"a hole", {hole}, {all}, true},
               {"a placeholder", {placeholder}, {all}, true},
               {"a texture that replaces", {replacing}, {all}, true},
               {"a faint placeholder", {faint}, {all}, false},
               {"a texture that blends", {over}, {all}, false},
               {"all but a column", {part}, {all}, false},
               {"a veil", {veil}, {all}, false},
               {"two boxes with a gap", {whole}, {{0, 0, 5, 5}, {20, 20, 5, 5}}, false}};
  for (const auto& expected : cases) {
    TestBuffer buffer = TestBuffer::from(Picture(40, 30, grey), DRM_FORMAT_ARGB8888);
    const auto drawn = target(buffer);
    const DriverCalls before = driverCalls();
    compose(*drawn, expected.commands, expected.damage);
    EXPECT_EQ(driverCalls().passes - before.passes, gpu ? 1U : 0U) << expected.name;
    EXPECT_EQ(driverCalls().replacingPasses - before.replacingPasses, gpu && expected.replaced ? 1U : 0U)
        << expected.name;
    const Picture result = buffer.picture();
    for (const auto& [x, y] : {std::pair(30, 29), std::pair(39, 3), std::pair(12, 12)}) {
      const bool damaged =
          std::ranges::any_of(expected.damage, [&](const Rect& box) { return box.contains({x, y, 1, 1}); });
      if (damaged) continue;
      EXPECT_EQ(result.at(x, y), grey) << expected.name << ": outside the damage";
    }
  }
}

TEST_F(Drawing, targetKeepsItsContentAndAlsoTakesRedFirst) {
  TestBuffer buffer = TestBuffer::from(Picture(16, 16, grey), DRM_FORMAT_ABGR8888);
  const auto drawn = target(buffer);
  const Rect everything{0, 0, 16, 16};
  for (int pass = 0; pass < 3; ++pass) {
    const DrawCommand command{.destination = {pass * 4, 0, 4, 16}, .color = {1, 0, 0, 1}};
    compose(*drawn, {&command, 1}, {&everything, 1});
  }
  const Picture result = buffer.picture();
  EXPECT_EQ(result.at(1, 1), (Picture::Pixel{255, 0, 0, 255}));
  EXPECT_EQ(result.at(11, 1), (Picture::Pixel{255, 0, 0, 255}));
  EXPECT_EQ(result.at(12, 1), grey);
}

} // namespace
} // namespace vitrine::test
