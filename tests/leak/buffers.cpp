#include "tests/leak/buffers.h"

#include <drm_fourcc.h>
#include <openssl/evp.h>

#include "protected-path/tee/frame_filler.h"
#include "tests/leak/detector.h"
#include "tests/unit/renderer_fixture.h"

namespace vitrine::test {
namespace {

constexpr FrameFiller::Key key{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
constexpr FrameFiller::Counter counter{};

/** The secret, encrypted, for a buffer laid out so; in the clear it is nowhere in this process. */
std::vector<std::byte> encryptedSecret(const Dmabuf& buffer) {
  std::vector<std::byte> bytes(buffer.sizeBytes()); // zeros, which become the key stream
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  int written = 0;
  auto* raw = reinterpret_cast<unsigned char*>(bytes.data());
  EVP_EncryptInit_ex(context, EVP_aes_128_ctr(), nullptr, key.data(), counter.data());
  EVP_EncryptUpdate(context, raw, &written, raw, static_cast<int>(bytes.size()));
  EVP_CIPHER_CTX_free(context);
  for (size_t i = 0; i < bytes.size(); ++i) {
    const bool chroma = buffer.planeCount() == 2 && i >= buffer.plane(1).offsetBytes;
    const uint8_t yuv = chroma ? secretChroma[i % 2] : secretLuma;
    bytes[i] ^= std::byte{buffer.planeCount() == 2 ? yuv : secretPixel[i % 4]};
  }
  return bytes;
}

} // namespace

Result<LeakBuffers> LeakBuffers::create(const TeeDevice& tee, const std::vector<Heap>& heaps, const HeapTable& table) {
  auto filler = FrameFiller::open(tee, key, extent * extent * 4);
  if (!filler) return std::unexpected(filler.error());
  constexpr uint32_t formats[perKind] = {DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888, DRM_FORMAT_NV12};
  LeakBuffers result;
  for (unsigned i = 0; i < perKind; ++i) {
    auto memory = allocateBuffer({.size = {extent, extent}, .fourcc = formats[i], .rowMultiple = 4}, heaps, table);
    if (!memory) return std::unexpected(memory.error());
    auto registered = TeeMemory::registerDmabuf(tee, memory->buffer);
    if (!registered) return std::unexpected(registered.error());
    if (auto filled = filler->fill(*registered, encryptedSecret(memory->buffer), counter); !filled)
      return std::unexpected(filled.error());
    result.protectedContent.push_back(std::move(memory->buffer));
    TestBuffer red =
        TestBuffer::from(Picture(extent, extent, {static_cast<uint8_t>(0x40 * i), 0, 0xd0, 0xff}), DRM_FORMAT_ARGB8888);
    auto ordinary = red.dmabuf().duplicate();
    if (!ordinary) return std::unexpected(ordinary.error());
    result.ordinary.push_back(std::move(*ordinary));
  }
  return result;
}

std::vector<UniqueFd> exhaustProtected(const std::vector<Heap>& heaps) {
  std::vector<UniqueFd> held;
  for (const Heap& heap : heaps) {
    if (heap.heapClass != HeapClass::Protected) continue;
    for (uint64_t size = 128 << 20; size >= 4096; size /= 2) {
      while (auto fd = allocateFromHeap(heap, size))
        held.push_back(std::move(*fd));
    }
  }
  return held;
}

} // namespace vitrine::test
