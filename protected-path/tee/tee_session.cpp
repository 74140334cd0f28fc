#include "protected-path/tee/tee_session.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <format>
#include <new>
#include <utility>

#include "protected-path/heap/permission.h"
#include "protected-path/tee/tee_uapi.h"

namespace vitrine {
namespace {

constexpr size_t maximumParameters = 4; ///< GlobalPlatform's

/** An argument of TEE_IOC_OPEN_SESSION or TEE_IOC_INVOKE with room for the parameters that follow it. */
template<typename Argument>
struct WithParameters {
  alignas(8) std::array<std::byte, sizeof(Argument) + maximumParameters * sizeof(tee_ioctl_param)> storage{};

  WithParameters() { new (storage.data()) Argument{}; }
  Argument& argument() { return *std::launder(reinterpret_cast<Argument*>(storage.data())); }
  std::span<tee_ioctl_param> parameters() { return {argument().params, argument().num_params}; }
  tee_ioctl_buf_data descriptor() {
    const size_t used = sizeof(Argument) + argument().num_params * sizeof(tee_ioctl_param);
    return {reinterpret_cast<uint64_t>(storage.data()), used};
  }
};

int retryIoctl(int fd, unsigned long request, void* argument) {
  int result = 0;
  do {
    result = ioctl(fd, request, argument);
  } while (result < 0 && errno == EINTR);
  return result;
}

std::string uuidText(const TeeUuid& uuid) {
  std::string text;
  for (size_t i = 0; i < uuid.bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += std::format("{:02x}", uuid.bytes[i]);
  }
  return text;
}

std::unexpected<Error> teeError(uint32_t result, uint32_t origin, std::string_view operation,
                                const std::string& object) {
  constexpr std::array<const char*, 5> origins = {"unknown origin", "client API", "communication", "TEE",
                                                  "trusted application"};
  const char* from = origin < origins.size() ? origins[origin] : origins[0];
  return std::unexpected(Error{ErrorKind::Tee,
                               static_cast<int>(result),
                               std::string(operation),
                               object,
                               std::format("{} from the {}", teeResultName(result), from),
                               {}});
}

uint64_t attributeOf(TeeParameter::Kind kind) {
  switch (kind) {
  case TeeParameter::Kind::None:
    return TEE_IOCTL_PARAM_ATTR_TYPE_NONE;
  case TeeParameter::Kind::ValueInput:
    return TEE_IOCTL_PARAM_ATTR_TYPE_VALUE_INPUT;
  case TeeParameter::Kind::ValueOutput:
    return TEE_IOCTL_PARAM_ATTR_TYPE_VALUE_OUTPUT;
  case TeeParameter::Kind::ValueInOut:
    return TEE_IOCTL_PARAM_ATTR_TYPE_VALUE_INOUT;
  case TeeParameter::Kind::MemoryInput:
    return TEE_IOCTL_PARAM_ATTR_TYPE_MEMREF_INPUT;
  case TeeParameter::Kind::MemoryOutput:
    return TEE_IOCTL_PARAM_ATTR_TYPE_MEMREF_OUTPUT;
  case TeeParameter::Kind::MemoryInOut:
    return TEE_IOCTL_PARAM_ATTR_TYPE_MEMREF_INOUT;
  }
  return TEE_IOCTL_PARAM_ATTR_TYPE_NONE;
}

int hexDigit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  assert(digit >= 'a' && digit <= 'f');
  return digit - 'a' + 10;
}

} // namespace

// ---- TeeUuid ----

TeeUuid TeeUuid::parse(std::string_view text) {
  TeeUuid uuid;
  size_t nibble = 0;
  for (const char character : text) {
    if (character == '-') continue;
    assert(nibble < 2 * uuid.bytes.size());
    uint8_t& byte = uuid.bytes[nibble++ / 2];
    byte = static_cast<uint8_t>(byte << 4 | hexDigit(character));
  }
  assert(nibble == 2 * uuid.bytes.size());
  return uuid;
}

// ---- TeeDevice ----

TeeDevice::TeeDevice(UniqueFd fd, std::filesystem::path node, Version version)
    : fd_(std::move(fd)), node_(std::move(node)), version_(version) {}

Result<TeeDevice> TeeDevice::open(const std::filesystem::path& node) {
  if (node.empty()) {
    Error worst = missing("open", "/dev/tee0 to /dev/tee9", "this machine has no TEE that its kernel offers",
                          "CONFIG_TEE with a driver (CONFIG_OPTEE), and firmware that has a TEE")
                      .error();
    for (char digit = '0'; digit <= '9'; ++digit) {
      auto device = open(std::string("/dev/tee") + digit);
      if (device) return device;
      // A node that exists and does not answer tells more than those that do not exist.
      const bool absent = device.error().kind == ErrorKind::System && device.error().number == ENOENT;
      if (!absent && worst.kind == ErrorKind::Missing) worst = std::move(device.error());
    }
    return std::unexpected(std::move(worst));
  }
  UniqueFd fd(::open(node.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd) {
    const bool denied = errno == EACCES || errno == EPERM;
    return systemError("open", node.string(), 0, denied ? nodePermissionRemedy : "");
  }
  tee_ioctl_version_data version{};
  if (retryIoctl(fd.get(), TEE_IOC_VERSION, &version) != 0) return systemError("TEE_IOC_VERSION", node.string());
  return TeeDevice(std::move(fd), node, {version.impl_id, version.impl_caps, version.gen_caps});
}

// ---- TeeMemory ----

Result<TeeMemory> TeeMemory::allocateShared(const TeeDevice& device, size_t sizeBytes) {
  const std::string object = std::format("{} ({} bytes)", device.node().string(), sizeBytes);
  const bool ours = (device.version().genericCapabilities & TEE_GEN_CAP_REG_MEM) != 0;
  TeeMemory memory;
  if (ours) {
    // Our own pages, told to the TEE: the kernel's pieces end at a few MiB, less than a large frame.
    if (auto mapped = memory.mapBytes(-1, MAP_SHARED | MAP_ANONYMOUS, sizeBytes, object); !mapped) {
      return std::unexpected(mapped.error());
    }
    tee_ioctl_shm_register_data request{reinterpret_cast<uint64_t>(memory.bytes_.data()), sizeBytes, 0, -1};
    memory.fd_.reset(retryIoctl(device.fd(), TEE_IOC_SHM_REGISTER, &request));
    if (!memory.fd_) return systemError("TEE_IOC_SHM_REGISTER", object);
    memory.id_ = request.id;
    return memory;
  }
  tee_ioctl_shm_alloc_data request{sizeBytes, 0, -1};
  memory.fd_.reset(retryIoctl(device.fd(), TEE_IOC_SHM_ALLOC, &request));
  if (!memory.fd_) return systemError("TEE_IOC_SHM_ALLOC", object);
  memory.id_ = request.id;
  if (auto mapped = memory.mapBytes(memory.fd_.get(), MAP_SHARED, sizeBytes, object); !mapped) {
    return std::unexpected(mapped.error());
  }
  return memory;
}

Result<> TeeMemory::mapBytes(int fd, int flags, size_t sizeBytes, const std::string& object) {
  void* address = mmap(nullptr, sizeBytes, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (address == MAP_FAILED) return systemError("mmap", "shared memory of " + object);
  bytes_ = {static_cast<std::byte*>(address), sizeBytes};
  sizeBytes_ = sizeBytes;
  return {};
}

Result<TeeMemory> TeeMemory::registerDmabuf(const TeeDevice& device, int fd) {
  TeeShmRegisterFd request{fd, 0, 0, -1};
  TeeMemory memory;
  memory.fd_.reset(retryIoctl(device.fd(), teeIocShmRegisterFd, &request));
  if (!memory.fd_) {
    return systemError(
        "TEE_IOC_SHM_REGISTER_FD", std::format("{} (fd {})", device.node().string(), fd), 0,
        errno == EINVAL ? "the TEE takes only buffers of its own protected heap, and only from Linux 6.18 on" : "");
  }
  memory.id_ = request.id;
  memory.sizeBytes_ = request.sizeBytes;
  return memory;
}

TeeMemory::TeeMemory(TeeMemory&& other) noexcept
    : fd_(std::move(other.fd_)), id_(std::exchange(other.id_, -1)), sizeBytes_(std::exchange(other.sizeBytes_, 0)),
      bytes_(std::exchange(other.bytes_, {})) {}

TeeMemory& TeeMemory::operator=(TeeMemory&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(id_, other.id_);
  std::swap(sizeBytes_, other.sizeBytes_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

TeeMemory::~TeeMemory() {
  fd_.reset(); // the TEE lets go of the pages before they do of us
  if (!bytes_.empty()) munmap(bytes_.data(), bytes_.size());
}

// ---- TeeSession ----

Result<TeeSession> TeeSession::open(const TeeDevice& device, const TeeUuid& application) {
  const std::string object = std::format("{} application {}", device.node().string(), uuidText(application));
  WithParameters<tee_ioctl_open_session_arg> call;
  std::ranges::copy(application.bytes, call.argument().uuid);
  call.argument().clnt_login = TEE_IOCTL_LOGIN_PUBLIC;
  tee_ioctl_buf_data descriptor = call.descriptor();
  if (retryIoctl(device.fd(), TEE_IOC_OPEN_SESSION, &descriptor) != 0)
    return systemError("TEE_IOC_OPEN_SESSION", object);
  const tee_ioctl_open_session_arg& answer = call.argument();
  if (answer.ret != teeSuccess) return teeError(answer.ret, answer.ret_origin, "TEE_IOC_OPEN_SESSION", object);
  return TeeSession(device.fd(), answer.session);
}

TeeSession::TeeSession(TeeSession&& other) noexcept : fd_(std::exchange(other.fd_, -1)), session_(other.session_) {}

TeeSession::~TeeSession() {
  if (fd_ < 0) return;
  tee_ioctl_close_session_arg request{session_};
  retryIoctl(fd_, TEE_IOC_CLOSE_SESSION, &request);
}

Result<> TeeSession::invoke(uint32_t command, std::span<TeeParameter> parameters) {
  const std::string object = std::format("session {} command {}", session_, command);
  if (parameters.size() > maximumParameters) return invalid("TEE_IOC_INVOKE", object, "more than four parameters");
  WithParameters<tee_ioctl_invoke_arg> call;
  call.argument().func = command;
  call.argument().session = session_;
  call.argument().num_params = static_cast<uint32_t>(parameters.size());
  std::ranges::transform(parameters, call.parameters().begin(), [](const TeeParameter& parameter) {
    return tee_ioctl_param{attributeOf(parameter.kind), parameter.a, parameter.b, parameter.c};
  });
  tee_ioctl_buf_data descriptor = call.descriptor();
  if (retryIoctl(fd_, TEE_IOC_INVOKE, &descriptor) != 0) return systemError("TEE_IOC_INVOKE", object);
  const tee_ioctl_invoke_arg& answer = call.argument();
  if (answer.ret != teeSuccess) return teeError(answer.ret, answer.ret_origin, "TEE_IOC_INVOKE", object);
  for (size_t i = 0; i < parameters.size(); ++i) {
    parameters[i].a = call.parameters()[i].a;
    parameters[i].b = call.parameters()[i].b;
    parameters[i].c = call.parameters()[i].c;
  }
  return {};
}

// ---- Questions ----

std::optional<bool> teeAccepts(const TeeDevice* device, int fd) {
  if (device == nullptr) return std::nullopt;
  const auto memory = TeeMemory::registerDmabuf(*device, fd);
  if (memory) return true;
  // EINVAL is its answer; anything else says that it could not be asked.
  return memory.error().number == EINVAL ? std::optional(false) : std::nullopt;
}

std::string teeResultName(uint32_t result) {
  constexpr std::pair<uint32_t, const char*> names[] = {
      {0x00000000, "TEE_SUCCESS"},
      {0xf0100003, "TEE_ERROR_STORAGE_NOT_AVAILABLE"},
      {0xffff0000, "TEE_ERROR_GENERIC"},
      {0xffff0001, "TEE_ERROR_ACCESS_DENIED"},
      {0xffff0002, "TEE_ERROR_CANCEL"},
      {0xffff0003, "TEE_ERROR_ACCESS_CONFLICT"},
      {0xffff0004, "TEE_ERROR_EXCESS_DATA"},
      {0xffff0005, "TEE_ERROR_BAD_FORMAT"},
      {0xffff0006, "TEE_ERROR_BAD_PARAMETERS"},
      {0xffff0007, "TEE_ERROR_BAD_STATE"},
      {0xffff0008, "TEE_ERROR_ITEM_NOT_FOUND"},
      {0xffff0009, "TEE_ERROR_NOT_IMPLEMENTED"},
      {0xffff000a, "TEE_ERROR_NOT_SUPPORTED"},
      {0xffff000b, "TEE_ERROR_NO_DATA"},
      {0xffff000c, "TEE_ERROR_OUT_OF_MEMORY"},
      {0xffff000d, "TEE_ERROR_BUSY"},
      {0xffff000e, "TEE_ERROR_COMMUNICATION"},
      {0xffff000f, "TEE_ERROR_SECURITY"},
      {0xffff0010, "TEE_ERROR_SHORT_BUFFER"},
      {0xffff0011, "TEE_ERROR_EXTERNAL_CANCEL"},
      {0xffff300f, "TEE_ERROR_OVERFLOW"},
      {0xffff3024, "TEE_ERROR_TARGET_DEAD"},
      {0xffff3041, "TEE_ERROR_STORAGE_NO_SPACE"},
  };
  for (const auto& [number, name] : names) {
    if (number == result) return name;
  }
  return std::format("0x{:08x}", result);
}

} // namespace vitrine
