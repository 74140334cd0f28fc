#include "protected-path/render/vulkan/pipeline_cache.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <format>
#include <fstream>
#include <iterator>
#include <span>

#include "protected-path/base/log.h"

namespace vitrine::vulkan {
namespace {

/** The file's first bytes. What follows is the driver's, which need not check it: therefore the checksum. */
struct FileHeader {
  std::array<char, 8> magic{'V', 'I', 'T', 'R', 'P', 'I', 'P', '1'};
  uint64_t checksum = 0;
  bool operator==(const FileHeader&) const = default;
};

/** FNV-1a, 64 bits. */
uint64_t checksumOf(std::span<const std::byte> bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const std::byte byte : bytes)
    hash = (hash ^ std::to_integer<uint64_t>(byte)) * 0x100000001b3;
  return hash;
}

/** Empty if the environment names no folder. */
std::filesystem::path cacheFolder() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/')
    return std::filesystem::path(cache) / "vitrine";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
    return std::filesystem::path(home) / ".cache/vitrine";
  return {};
}

std::string fileName(const PhysicalDevice& device) {
  std::string name = std::format("pipelines-{:04x}-{:04x}-", device.vendorId, device.deviceId);
  for (const uint8_t byte : device.pipelineCacheUuid)
    name += std::format("{:02x}", byte);
  return name;
}

/** The driver's data in a file's bytes. Empty if they are damaged, or from another device or driver. */
std::span<const std::byte> dataIn(std::span<const std::byte> file, const PhysicalDevice& device) {
  FileHeader header;
  VkPipelineCacheHeaderVersionOne data{};
  if (file.size() < sizeof(header) + sizeof(data)) return {};
  const auto rest = file.subspan(sizeof(header));
  std::memcpy(&header, file.data(), sizeof(header));
  std::memcpy(&data, rest.data(), sizeof(data));
  if (header != FileHeader{.checksum = checksumOf(rest)}) return {};
  const bool same = data.vendorID == device.vendorId && data.deviceID == device.deviceId &&
                    std::ranges::equal(data.pipelineCacheUUID, device.pipelineCacheUuid);
  return same ? rest : std::span<const std::byte>{};
}

std::vector<std::byte> readFile(const std::filesystem::path& path, const PhysicalDevice& device) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return {};
  const std::vector<char> text{std::istreambuf_iterator(file), {}};
  const auto data = dataIn(std::as_bytes(std::span(text)), device);
  if (data.empty())
    log("vulkan").warn("{}: damaged, or from another GPU or driver; pipelines are compiled again", path.string());
  return {data.begin(), data.end()};
}

} // namespace

Result<std::unique_ptr<PipelineCache>> PipelineCache::create(std::shared_ptr<Device> device) {
  std::unique_ptr<PipelineCache> cache(new PipelineCache(std::move(device)));
  const PhysicalDevice& physical = cache->device_->physical();
  if (const auto folder = cacheFolder(); !folder.empty()) {
    cache->file_ = folder / fileName(physical);
    cache->known_ = readFile(cache->file_, physical);
  }
  const VkPipelineCacheCreateInfo info{.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
                                       .initialDataSize = cache->known_.size(),
                                       .pInitialData = cache->known_.data()};
  const DeviceFunctions& vk = cache->device_->vk();
  auto handle = makeObject<PipelineCacheObject>(vk, vk.CreatePipelineCache, info, "vkCreatePipelineCache");
  if (!handle) return std::unexpected(handle.error());
  cache->handle_ = std::move(*handle);
  return cache;
}

PipelineCache::~PipelineCache() {
  if (file_.empty() || !handle_) return;
  const auto data = compiled();
  if (data && *data == known_) return;
  const auto written = data ? write(*data) : std::unexpected(data.error());
  if (!written) log("vulkan").info("pipelines are not kept for the next start: {}", written.error().text());
}

Result<std::vector<std::byte>> PipelineCache::compiled() const {
  const DeviceFunctions& vk = device_->vk();
  size_t size = 0;
  VkResult result = vk.GetPipelineCacheData(vk.device, handle_.get(), &size, nullptr);
  std::vector<std::byte> data(size);
  if (result == VK_SUCCESS) result = vk.GetPipelineCacheData(vk.device, handle_.get(), &size, data.data());
  if (result != VK_SUCCESS) return vulkanError("vkGetPipelineCacheData", "", result);
  data.resize(size);
  return data;
}

Result<> PipelineCache::write(std::span<const std::byte> data) const {
  std::error_code failed;
  std::filesystem::create_directories(file_.parent_path(), failed);
  if (failed) return systemError("create", file_.parent_path().string(), failed.value());
  // Each process has its own: two sessions may end at once.
  const std::filesystem::path partial = std::format("{}.{}.partial", file_.string(), getpid());
  const FileHeader header{.checksum = checksumOf(data)};
  std::ofstream stream(partial, std::ios::binary);
  stream.write(reinterpret_cast<const char*>(&header), sizeof(header));
  stream.write(reinterpret_cast<const char*>(data.data()), static_cast<std::streamsize>(data.size()));
  stream.close();
  const int number = stream ? 0 : errno;
  if (stream) std::filesystem::rename(partial, file_, failed);
  if (stream && !failed) return {};
  std::error_code ignored;
  std::filesystem::remove(partial, ignored);
  return stream ? systemError("rename", file_.string(), failed.value())
                : systemError("write", partial.string(), number);
}

} // namespace vitrine::vulkan
