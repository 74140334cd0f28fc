#include "tests/board/wayland/shm_buffer.h"

#include <sys/mman.h>
#include <unistd.h>

#include <utility>

namespace vitrine {

Result<ShmBuffer> ShmBuffer::create(WaylandConnection& connection, Size size, uint32_t strideBytes, uint32_t format) {
  wl_shm* shm = connection.globals().shm.get();
  if (shm == nullptr) return missing("bind", "wl_shm", "the compositor lacks it");
  const size_t length = size_t{strideBytes} * size.height;
  const UniqueFd fd(memfd_create("client", MFD_CLOEXEC));
  if (!fd || ftruncate(fd.get(), static_cast<off_t>(length)) != 0) return systemError("create", "shared memory");
  void* mapped = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (mapped == MAP_FAILED) return systemError("mmap", "shared memory");
  wl_shm_pool* pool = wl_shm_create_pool(shm, fd.get(), static_cast<int32_t>(length));
  WaylandPtr<wl_buffer> object(wl_shm_pool_create_buffer(pool, 0, static_cast<int32_t>(size.width),
                                                         static_cast<int32_t>(size.height),
                                                         static_cast<int32_t>(strideBytes), format));
  wl_shm_pool_destroy(pool);
  ShmBuffer buffer;
  buffer.size_ = size;
  buffer.strideBytes_ = strideBytes;
  buffer.format_ = format;
  buffer.bytes_ = {static_cast<uint8_t*>(mapped), length};
  buffer.object_ = std::move(object);
  return buffer;
}

ShmBuffer::ShmBuffer(ShmBuffer&& other) noexcept
    : size_(other.size_), strideBytes_(other.strideBytes_), format_(other.format_),
      bytes_(std::exchange(other.bytes_, {})), object_(std::move(other.object_)) {}

ShmBuffer::~ShmBuffer() {
  if (!bytes_.empty()) munmap(bytes_.data(), bytes_.size());
}

} // namespace vitrine
