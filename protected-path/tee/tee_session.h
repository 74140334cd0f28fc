#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "protected-path/base/unique_fd.h"

namespace vitrine {

/** A trusted application's UUID, in the byte order of the TEE UAPI (big endian fields, RFC 4122). */
struct TeeUuid {
  std::array<uint8_t, 16> bytes{};
  /** From `12345678-5b69-11e4-9dbb-101f74f00099`; asserts on malformed text (constants only). */
  static TeeUuid parse(std::string_view text);
};

/** Open TEE device (linux/tee.h). */
class TeeDevice {
public:
  struct Version {
    uint32_t implementationId = 0;
    uint32_t implementationCapabilities = 0;
    uint32_t genericCapabilities = 0;
  };

  /** Opens the first of /dev/tee0…/dev/tee9 that answers TEE_IOC_VERSION, or `node`. Missing where there is none. */
  [[nodiscard]] static Result<TeeDevice> open(const std::filesystem::path& node = {});

  [[nodiscard]] const Version& version() const { return version_; }
  [[nodiscard]] const std::filesystem::path& node() const { return node_; }
  [[nodiscard]] int fd() const { return fd_.get(); }

private:
  TeeDevice(UniqueFd fd, std::filesystem::path node, Version version);
  UniqueFd fd_;
  std::filesystem::path node_;
  Version version_;
};

/**
 * Memory that the TEE knows: ordinary shared memory, mapped here, or a registered protected dma-buf, never mapped.
 * Freed with its last owner; the TEE keeps its own reference to a registered dma-buf.
 */
class TeeMemory {
public:
  /**
   * Ordinary shared memory, mapped read-write: our own pages where the TEE takes such (TEE_IOC_SHM_REGISTER), else its
   * own (TEE_IOC_SHM_ALLOC, a few MiB at most).
   */
  [[nodiscard]] static Result<TeeMemory> allocateShared(const TeeDevice& device, size_t sizeBytes);
  /** A protected dma-buf (TEE_IOC_SHM_REGISTER_FD); EINVAL where the TEE does not know it as protected. Borrows `fd`.
   */
  [[nodiscard]] static Result<TeeMemory> registerDmabuf(const TeeDevice& device, int fd);

  TeeMemory(TeeMemory&& other) noexcept;
  TeeMemory& operator=(TeeMemory&& other) noexcept;
  ~TeeMemory();

  [[nodiscard]] int id() const { return id_; }
  [[nodiscard]] size_t sizeBytes() const { return sizeBytes_; }
  /** Empty for a registered dma-buf. */
  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }

private:
  TeeMemory() = default;
  Result<> mapBytes(int fd, int flags, size_t sizeBytes, const std::string& object);
  UniqueFd fd_;
  int id_ = -1;
  size_t sizeBytes_ = 0;
  std::span<std::byte> bytes_;
};

/** One parameter of an invocation (struct tee_ioctl_param). */
struct TeeParameter {
  enum class Kind { None, ValueInput, ValueOutput, ValueInOut, MemoryInput, MemoryOutput, MemoryInOut };
  Kind kind = Kind::None;
  uint64_t a = 0; ///< value a, or offset in bytes
  uint64_t b = 0; ///< value b, or size in bytes
  uint64_t c = 0; ///< value c, or the TeeMemory's id

  static TeeParameter value(uint64_t a, uint64_t b = 0) { return {Kind::ValueInput, a, b, 0}; }
  static TeeParameter memory(Kind kind, const TeeMemory& memory, size_t offsetBytes, size_t sizeBytes) {
    return {kind, offsetBytes, sizeBytes, static_cast<uint64_t>(memory.id())};
  }
};

/** A session with one trusted application. Borrows the device, which must outlive it. */
class TeeSession {
public:
  /** TEE_IOC_OPEN_SESSION. ErrorKind::Tee with the GlobalPlatform result where the TEE says no. */
  [[nodiscard]] static Result<TeeSession> open(const TeeDevice& device, const TeeUuid& application);
  TeeSession(TeeSession&& other) noexcept;
  TeeSession& operator=(TeeSession&&) = delete;
  ~TeeSession();

  /** TEE_IOC_INVOKE; output values are written back. At most four parameters. ErrorKind::Tee on a non-zero result. */
  [[nodiscard]] Result<> invoke(uint32_t command, std::span<TeeParameter> parameters);

private:
  TeeSession(int fd, uint32_t session) : fd_(fd), session_(session) {}
  int fd_; ///< borrowed
  uint32_t session_;
};

/** For Inspector: whether the TEE takes `fd` as protected; empty without a TEE, or where it may not be asked. */
[[nodiscard]] std::optional<bool> teeAccepts(const TeeDevice* device, int fd);

/** A GlobalPlatform result by name: `TEE_ERROR_ACCESS_DENIED`. */
[[nodiscard]] std::string teeResultName(uint32_t result);

} // namespace vitrine
