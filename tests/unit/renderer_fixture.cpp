#include "tests/unit/renderer_fixture.h"

#include <drm_fourcc.h>
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <cmath>
#include <cstring>
#include <random>
#include <stdexcept>

#include "protected-path/render/placeholder.h"

namespace vitrine::test {

Picture testPicture(int width, int height, unsigned seed, bool opaque) {
  std::mt19937 random(seed);
  Picture picture(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const unsigned alpha = opaque ? 255 : random() % 256;
      const unsigned channels[] = {static_cast<unsigned>(x * 255 / width), static_cast<unsigned>(y * 255 / height),
                                   static_cast<unsigned>(random() % 256)};
      for (size_t i = 0; i < 3; ++i)
        picture.at(x, y)[i] = static_cast<uint8_t>(channels[i] * alpha / 255);
      picture.at(x, y)[3] = static_cast<uint8_t>(alpha);
    }
  }
  return picture;
}

int largestDifference(const Picture& a, const Picture& b) {
  EXPECT_EQ(a.pixels.size(), b.pixels.size());
  int largest = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i) {
    for (size_t channel = 0; channel < 4; ++channel) {
      largest = std::max(largest, std::abs(int{a.pixels[i][channel]} - int{b.pixels[i][channel]}));
    }
  }
  return largest;
}

double psnr(const Picture& a, const Picture& b) {
  double sum = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i) {
    for (size_t channel = 0; channel < 3; ++channel) {
      const double difference = int{a.pixels[i][channel]} - int{b.pixels[i][channel]};
      sum += difference * difference;
    }
  }
  return 10 * std::log10(255.0 * 255.0 * 3 * static_cast<double>(a.pixels.size()) / std::max(sum, 1e-9));
}

void expectPlaceholder(const Picture& picture, const Rect& box) {
  for (int y = box.y; y < box.bottom(); ++y) {
    for (int x = box.x; x < box.right(); ++x) {
      const auto& rgb = placeholderPixel(x, y);
      ASSERT_EQ(picture.at(x, y), (Picture::Pixel{rgb[2], rgb[1], rgb[0], 255})) << x << "," << y;
    }
  }
}

Picture quarterTurn(const Picture& picture) {
  Picture result(picture.height, picture.width);
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x)
      result.at(x, y) = picture.at(picture.width - 1 - y, x);
  }
  return result;
}

Picture mirrored(const Picture& picture) {
  Picture result(picture.width, picture.height);
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x)
      result.at(x, y) = picture.at(picture.width - 1 - x, y);
  }
  return result;
}

Picture turned(const Picture& picture, Transform transform) {
  const auto number = static_cast<unsigned>(transform);
  Picture result = number >= 4 ? mirrored(picture) : picture;
  for (unsigned i = 0; i < number % 4; ++i)
    result = quarterTurn(result);
  return result;
}

void TestBuffer::Unmap::operator()(uint8_t* address) const {
  munmap(address, length);
}

std::optional<TestBuffer> TestBuffer::create(Size size, uint32_t fourcc, const Padding& padding) {
  const UniqueFd heap(open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC));
  if (!heap) return std::nullopt;
  const FormatInfo& format = *formatInfo(fourcc);
  DmabufAttributes attributes{
      .size = size, .fourcc = fourcc, .modifier = DRM_FORMAT_MOD_LINEAR, .planeCount = format.planes};
  uint64_t total = 0;
  for (unsigned plane = 0; plane < format.planes; ++plane) {
    const auto roundUp = [](uint64_t value, uint64_t multiple) { return (value + multiple - 1) / multiple * multiple; };
    const uint64_t stride = roundUp(minimumStrideBytes(format, size, plane), padding.strideBytes);
    total += padding.gapBytes;
    attributes.planes[plane].offsetBytes = static_cast<uint32_t>(total);
    attributes.planes[plane].strideBytes = static_cast<uint32_t>(stride);
    total += stride * roundUp(planeSize(format, size, plane).height, padding.rows);
  }
  dma_heap_allocation_data allocation{.len = total, .fd_flags = O_RDWR | O_CLOEXEC};
  if (ioctl(heap.get(), DMA_HEAP_IOCTL_ALLOC, &allocation) != 0) return std::nullopt;
  UniqueFd fd(static_cast<int>(allocation.fd));
  void* address = mmap(nullptr, total, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (address == MAP_FAILED) return std::nullopt;
  for (unsigned plane = 0; plane < format.planes; ++plane)
    attributes.planes[plane].fd = *duplicateFd(fd.get());
  auto buffer = Dmabuf::create(std::move(attributes));
  EXPECT_TRUE(buffer) << buffer.error().text();
  TestBuffer result;
  result.buffer_ = std::move(*buffer);
  result.bytes_ = {static_cast<uint8_t*>(address), Unmap{total}};
  return result;
}

TestBuffer TestBuffer::from(const Picture& picture, uint32_t fourcc) {
  auto buffer = create(picture.size(), fourcc);
  buffer->fill(picture);
  return std::move(*buffer);
}

std::span<uint8_t> TestBuffer::row(unsigned plane, uint32_t y) {
  const DmabufPlane& layout = buffer_->plane(plane);
  return {bytes_.get() + layout.offsetBytes + size_t{y} * layout.strideBytes, layout.strideBytes};
}

void TestBuffer::fill(const Picture& picture) {
  for (int y = 0; y < picture.height; ++y) {
    std::memcpy(row(0, static_cast<uint32_t>(y)).data(), &picture.at(0, y), picture.strideBytes());
  }
}

Picture TestBuffer::picture() {
  Picture result(static_cast<int>(buffer_->size().width), static_cast<int>(buffer_->size().height));
  for (int y = 0; y < result.height; ++y) {
    std::memcpy(&result.at(0, y), row(0, static_cast<uint32_t>(y)).data(), result.strideBytes());
  }
  return result;
}

Dmabuf withModifier(TestBuffer& from, uint64_t modifier, unsigned planes, TestBuffer& last) {
  DmabufAttributes attributes{
      .size = from.dmabuf().size(), .fourcc = from.dmabuf().fourcc(), .modifier = modifier, .planeCount = planes};
  for (unsigned i = 0; i < planes; ++i) {
    const DmabufPlane& plane = from.dmabuf().plane(std::min(i, from.dmabuf().planeCount() - 1));
    TestBuffer& buffer = i == planes - 1 ? last : from;
    attributes.planes[i] = {*duplicateFd(buffer.dmabuf().plane(0).fd.get()), plane.offsetBytes, plane.strideBytes};
  }
  auto made = Dmabuf::create(std::move(attributes));
  if (!made) throw std::runtime_error(made.error().text());
  return std::move(*made);
}

std::unique_ptr<Renderer> RendererTest::newRenderer(bool validation, std::optional<YccImport> yccImport) {
  auto made = Renderer::create({.validation = validation, .yccImport = yccImport});
  EXPECT_TRUE(made) << made.error().text();
  return made ? std::move(*made) : nullptr;
}

namespace {

std::unique_ptr<Renderer> shared;

/** Destroys the shared renderer before exit(), which destroys the validation layer's own statics. */
struct SharedRenderer : testing::Environment {
  void TearDown() override { shared.reset(); }
};
[[maybe_unused]] testing::Environment* const environment = testing::AddGlobalTestEnvironment(new SharedRenderer);

} // namespace

Renderer& RendererTest::renderer() {
  if (shared == nullptr) shared = newRenderer(true);
  if (shared == nullptr) std::abort(); // the words are above
  return *shared;
}

void RendererTest::SetUp() {
  if (!TestBuffer::create({16, 16}, DRM_FORMAT_XRGB8888))
    GTEST_SKIP() << "no dma-bufs: /dev/dma_heap/system cannot be used";
  messagesBefore_ = renderer().counters().validationMessages;
}

void RendererTest::TearDown() {
  if (IsSkipped()) return;
  renderer().waitIdle();
  EXPECT_EQ(renderer().counters().validationMessages, messagesBefore_) << "the validation layer spoke";
}

std::unique_ptr<Texture> RendererTest::texture(TestBuffer& buffer) {
  auto made = renderer().import(buffer.dmabuf());
  if (!made) throw std::runtime_error(made.error().text());
  return std::move(*made);
}

std::unique_ptr<RenderTarget> RendererTest::target(TestBuffer& buffer) {
  auto made = renderer().importTarget(buffer.dmabuf());
  if (!made) throw std::runtime_error(made.error().text());
  return std::move(*made);
}

void RendererTest::compose(RenderTarget& target, std::span<const DrawCommand> commands, std::span<const Rect> damage) {
  auto fence = renderer().compose(target, commands, damage, {});
  ASSERT_TRUE(fence) << fence.error().text();
  renderer().waitIdle();
}

Picture RendererTest::draw(const Picture& background, std::span<const DrawCommand> commands) {
  return draw(renderer(), background, commands);
}

Picture RendererTest::draw(Renderer& by, const Picture& background, std::span<const DrawCommand> commands) {
  TestBuffer buffer = TestBuffer::from(background, DRM_FORMAT_ARGB8888);
  const auto drawn = by.importTarget(buffer.dmabuf());
  if (!drawn) throw std::runtime_error(drawn.error().text());
  const Rect everything{0, 0, background.width, background.height};
  const auto fence = by.compose(**drawn, commands, {&everything, 1}, {});
  EXPECT_TRUE(fence) << fence.error().text();
  by.waitIdle();
  return buffer.picture();
}

DrawCommand RendererTest::textureCommand(const Texture& texture, const Rect& destination) {
  return {.kind = DrawCommand::Kind::Texture,
          .destination = destination,
          .texture = &texture,
          .source = SourceRect::whole(texture.size())};
}

} // namespace vitrine::test
