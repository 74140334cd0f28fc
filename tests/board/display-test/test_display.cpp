#include "tests/board/display-test/test_display.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>
#include <fstream>
#include <string_view>

#include <drm_fourcc.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "protected-path/kms/drm_pointer.h"
#include "tests/board/common/png.h"
#include "tests/board/display-test/protected_buffer.h"

namespace vitrine::display_test {
namespace {

/** Where the planes of a picture lie: one behind another, rows at multiples of 256 bytes, which every display takes. */
struct PictureLayout {
  uint32_t stride;
  uint32_t rows; ///< of `stride` bytes, all planes together
  unsigned planes;
};

PictureLayout layoutOf(uint32_t fourcc, Size size) {
  const bool yuv = fourcc == DRM_FORMAT_NV12;
  const uint32_t rowBytes = yuv ? size.width : size.width * 4;
  return {(rowBytes + 255) / 256 * 256, yuv ? size.height * 3 / 2 : size.height, yuv ? 2U : 1U};
}

/** Blocks in many colours, of which no two neighbours are equal, so that a stale or shifted picture is another one. */
std::vector<std::byte> pictureBytes(uint32_t fourcc, Size size) {
  const PictureLayout layout = layoutOf(fourcc, size);
  std::vector<std::byte> bytes(size_t{layout.stride} * layout.rows);
  for (uint32_t y = 0; y < layout.rows; ++y) {
    for (uint32_t x = 0; x < layout.stride; ++x) {
      const uint32_t block = fourcc == DRM_FORMAT_NV12 ? x / 16 : x / 64;
      const uint32_t value = (block * 37 + y / 16 * 91 + x % 4 * 53) % 200 + 20;
      bytes[size_t{y} * layout.stride + x] = static_cast<std::byte>(value);
    }
  }
  return bytes;
}

Result<Dmabuf> asDmabuf(uint32_t fourcc, Size size, UniqueFd fd) {
  const PictureLayout layout = layoutOf(fourcc, size);
  DmabufAttributes attributes{size, fourcc, DRM_FORMAT_MOD_LINEAR, layout.planes, {}};
  for (unsigned plane = 0; plane < layout.planes; ++plane) {
    auto copy = duplicateFd(fd.get());
    if (!copy) return std::unexpected(copy.error());
    attributes.planes[plane] = {std::move(*copy), plane * layout.stride * size.height, layout.stride};
  }
  return Dmabuf::create(std::move(attributes));
}

/** A dumb buffer with these bytes, as a dma-buf. */
Result<UniqueFd> dumbBuffer(int card, uint32_t stride, uint32_t rows, std::span<const std::byte> bytes) {
  uint32_t handle = 0;
  uint32_t pitch = 0;
  uint64_t size = 0;
  if (drmModeCreateDumbBuffer(card, stride / 4, rows, 32, 0, &handle, &pitch, &size) != 0)
    return systemError("DRM_IOCTL_MODE_CREATE_DUMB", std::format("{}x{}", stride / 4, rows));
  uint64_t offset = 0;
  int exported = -1;
  const bool known = drmModeMapDumbBuffer(card, handle, &offset) == 0 &&
                     drmPrimeHandleToFD(card, handle, DRM_CLOEXEC | DRM_RDWR, &exported) == 0;
  UniqueFd fd(exported);
  void* address =
      known ? mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, card, static_cast<off_t>(offset)) : MAP_FAILED;
  auto failed = systemError("map", "dumb buffer");
  drmModeDestroyDumbBuffer(card, handle);
  if (address == MAP_FAILED) return failed;
  for (uint32_t row = 0; row < rows; ++row)
    std::memcpy(static_cast<std::byte*>(address) + size_t{row} * pitch, bytes.data() + size_t{row} * stride, stride);
  munmap(address, size);
  if (pitch != stride)
    return invalid("DRM_IOCTL_MODE_CREATE_DUMB", std::format("{} bytes a row", stride),
                   std::format("the driver wants {}", pitch));
  return fd;
}

Result<std::string> readFile(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return systemError("open", path);
  std::string bytes;
  std::array<char, 65536> part; // NOLINT: filled by read
  for (;;) {
    const ssize_t got = read(fd.get(), part.data(), part.size());
    if (got < 0) return systemError("read", path);
    if (got == 0) return bytes;
    bytes.append(part.data(), static_cast<size_t>(got));
  }
}

/** The panel camera's picture: 64 bytes of header, then XRGB8888 (tests/platform/README.md). */
Result<Sight> photograph(const std::string& path) {
  const auto bytes = readFile(path);
  if (!bytes && bytes.error().number == ENODATA) return Sight{.dark = true, .size = {}, .pixels = {}, .checksum = {}};
  if (!bytes) return std::unexpected(bytes.error());
  std::array<uint32_t, 16> header{};
  if (bytes->size() < sizeof header) return invalid("read", path, "shorter than its header");
  std::memcpy(header.data(), bytes->data(), sizeof header);
  Sight sight{false, {header[4], header[5]}, {}, {}};
  sight.pixels.resize(size_t{sight.size.width} * sight.size.height);
  if (bytes->size() < header[2] + sight.pixels.size() * 4) return invalid("read", path, "shorter than its picture");
  std::memcpy(sight.pixels.data(), bytes->data() + header[2], sight.pixels.size() * 4);
  for (uint32_t& pixel : sight.pixels)
    pixel &= 0xffffff;
  return sight;
}

/** The third checksum after the start: of a frame that began after the call, also on hardware with a delay. */
Result<Sight> checksum(const std::string& path) {
  {
    std::ofstream control(path + "/control");
    control << "auto";
    control.flush();
    if (!control) return systemError("write", path + "/control");
  }
  std::ifstream data(path + "/data");
  std::string line;
  for (int i = 0; i < 3; ++i) {
    if (!std::getline(data, line)) return Sight{.dark = true, .size = {}, .pixels = {}, .checksum = {}};
  }
  return Sight{false, {}, {}, line.substr(line.find(' ') + 1)};
}

} // namespace

std::string Sight::png(const Rect& part) const {
  if (pixels.empty()) return {};
  std::vector<uint32_t> cut;
  for (int y = part.y; y < part.y + part.height; ++y) {
    const auto row = pixels.begin() + static_cast<std::ptrdiff_t>(y) * size.width + part.x;
    cut.insert(cut.end(), row, row + part.width);
  }
  return encodePng({static_cast<uint32_t>(part.width), static_cast<uint32_t>(part.height)}, cut)
      .value_or(std::string());
}

Eye findEye(const std::string& card) {
  const std::string camera = "/dev/panel-camera0";
  if (access(camera.c_str(), R_OK) == 0) return {"panel camera", camera, {}};
  const std::string crc =
      std::format("/sys/kernel/debug/dri/{}/crtc-0/crc", card.substr(card.find_last_not_of("0123456789") + 1));
  if (access((crc + "/data").c_str(), R_OK) == 0) return {"CRC", crc, {}};
  return {{}, {}, "nothing shows what is on the display: no panel camera, and no CRC in debugfs (root)"};
}

Result<Sight> look(const Eye& eye) {
  return eye.name == "CRC" ? checksum(eye.path) : photograph(eye.path);
}

Result<std::unique_ptr<TestDisplay>> TestDisplay::open(const Board& board) {
  std::unique_ptr<TestDisplay> display(new TestDisplay);
  auto device = KmsDevice::open(UniqueFd(::open(board.card.c_str(), O_RDWR | O_CLOEXEC)), board.card);
  if (!device) return std::unexpected(device.error());
  display->device_ = std::move(*device);
  const auto& connectors = display->device_->connectors();
  const auto lit = std::ranges::find_if(
      connectors, [](const Connector& one) { return one.connected && !one.writeback && !one.modes.empty(); });
  if (lit == connectors.end()) return missing("open", board.card, "no connected display");
  const auto& crtcs = display->device_->crtcs();
  const auto crtc =
      std::ranges::find_if(crtcs, [&](const Crtc& one) { return (lit->possibleCrtcs & 1U << one.index) != 0; });
  if (crtc == crtcs.end()) return missing("open", board.card, "no CRTC for " + lit->name);
  for (const Plane& plane : display->device_->planes()) {
    const bool usable = (plane.possibleCrtcs & 1U << crtc->index) != 0;
    if (usable && plane.type == PlaneType::Primary && display->primary_ == nullptr) display->primary_ = &plane;
  }
  if (display->primary_ == nullptr) return missing("open", board.card, "no primary plane");
  display->connector_ = &*lit;
  display->crtc_ = &*crtc;
  display->mode_ = lit->modes[0];
  if (auto on = display->light(); !on) return std::unexpected(on.error());
  return display;
}

TestDisplay::~TestDisplay() {
  if (crtc_ == nullptr) return;
  AtomicRequest request(*device_, counters_);
  describe(request, {});
  request.set(*connector_, ConnectorProperty::CrtcId, 0);
  request.set(*crtc_, CrtcProperty::ModeId, 0);
  request.set(*crtc_, CrtcProperty::Active, 0);
  (void)request.commitBlocking(true); // closing the device turns it off, too
}

void TestDisplay::describe(AtomicRequest& request, const std::vector<PlaneShows>& frame) const {
  for (const Plane& plane : device_->planes()) {
    if ((plane.possibleCrtcs & 1U << crtc_->index) != 0 && !std::ranges::contains(frame, &plane, &PlaneShows::plane))
      request.disable(plane);
  }
  for (const PlaneShows& shown : frame) {
    const Plane& plane = *shown.plane;
    request.set(plane, PlaneProperty::FbId, shown.framebufferId);
    request.set(plane, PlaneProperty::CrtcId, crtc_->id);
    request.set(plane, PlaneProperty::SrcX, 0);
    request.set(plane, PlaneProperty::SrcY, 0);
    request.set(plane, PlaneProperty::SrcW, uint64_t{shown.size.width} << 16);
    request.set(plane, PlaneProperty::SrcH, uint64_t{shown.size.height} << 16);
    request.set(plane, PlaneProperty::CrtcX, static_cast<uint64_t>(shown.place.x));
    request.set(plane, PlaneProperty::CrtcY, static_cast<uint64_t>(shown.place.y));
    request.set(plane, PlaneProperty::CrtcW, static_cast<uint64_t>(shown.place.width));
    request.set(plane, PlaneProperty::CrtcH, static_cast<uint64_t>(shown.place.height));
  }
}

Result<> TestDisplay::test(const std::vector<PlaneShows>& frame) {
  AtomicRequest request(*device_, counters_);
  describe(request, frame);
  return request.test(false);
}

Result<> TestDisplay::show(const std::vector<PlaneShows>& frame) {
  AtomicRequest request(*device_, counters_);
  describe(request, frame);
  return request.commitBlocking(false);
}

Result<> TestDisplay::light() {
  blends_ = primary_->hasFormat(DRM_FORMAT_ARGB8888, DRM_FORMAT_MOD_LINEAR);
  const uint32_t fourcc = blends_ ? DRM_FORMAT_ARGB8888 : DRM_FORMAT_XRGB8888;
  const PictureLayout layout = layoutOf(fourcc, mode_.size);
  std::vector<std::byte> bytes(size_t{layout.stride} * layout.rows);
  for (uint32_t y = 0; y < mode_.size.height; ++y) {
    for (uint32_t x = 0; x < mode_.size.width; ++x) {
      const bool hole = blends_ && x >= static_cast<uint32_t>(place.x) &&
                        x < static_cast<uint32_t>(place.x + place.width) && y >= static_cast<uint32_t>(place.y) &&
                        y < static_cast<uint32_t>(place.y + place.height);
      const uint32_t pixel = hole ? 0 : 0xff203040;
      std::memcpy(bytes.data() + size_t{y} * layout.stride + size_t{x} * 4, &pixel, sizeof pixel);
    }
  }
  auto fd = dumbBuffer(device_->fd(), layout.stride, layout.rows, bytes);
  if (!fd) return std::unexpected(fd.error());
  const auto buffer = asDmabuf(fourcc, mode_.size, std::move(*fd));
  if (!buffer) return std::unexpected(buffer.error());
  auto framebuffer = Framebuffer::create(*device_, *buffer);
  if (!framebuffer) return std::unexpected(framebuffer.error());
  background_.emplace(std::move(*framebuffer));
  auto mode = PropertyBlob::create(*device_, mode_.raw.data(), mode_.raw.size());
  if (!mode) return std::unexpected(mode.error());
  AtomicRequest request(*device_, counters_);
  describe(request, frame(nullptr, nullptr));
  request.set(*connector_, ConnectorProperty::CrtcId, crtc_->id);
  request.set(*crtc_, CrtcProperty::ModeId, mode->id());
  request.set(*crtc_, CrtcProperty::Active, 1);
  return request.commitBlocking(true);
}

std::vector<const Plane*> TestDisplay::overlays() const {
  std::vector<const Plane*> found;
  for (const Plane& plane : device_->planes()) {
    if (plane.type == PlaneType::Overlay && (plane.possibleCrtcs & 1U << crtc_->index) != 0) found.push_back(&plane);
  }
  return found;
}

Result<TestPicture> TestDisplay::ordinary(uint32_t fourcc, Size size) const {
  const PictureLayout layout = layoutOf(fourcc, size);
  auto fd = dumbBuffer(device_->fd(), layout.stride, layout.rows, pictureBytes(fourcc, size));
  if (!fd) return std::unexpected(fd.error());
  const auto buffer = asDmabuf(fourcc, size, std::move(*fd));
  if (!buffer) return std::unexpected(buffer.error());
  auto framebuffer = Framebuffer::create(*device_, *buffer, true);
  if (!framebuffer) return std::unexpected(framebuffer.error());
  return TestPicture{size, fourcc, std::move(*framebuffer)};
}

Result<TestPicture> TestDisplay::inHeap(const Trial& trial, uint32_t fourcc, Size size) const {
  const auto bytes = pictureBytes(fourcc, size);
  const auto memory = ProtectedBuffer::allocate(trial.heap(), bytes.size());
  if (!memory) return std::unexpected(memory.error());
  if (auto filled = memory->fill(trial.board(), 0, bytes); !filled) return std::unexpected(filled.error());
  auto fd = duplicateFd(memory->fd());
  if (!fd) return std::unexpected(fd.error());
  const auto buffer = asDmabuf(fourcc, size, std::move(*fd));
  if (!buffer) return std::unexpected(buffer.error());
  auto framebuffer = Framebuffer::create(*device_, *buffer, true);
  if (!framebuffer) return std::unexpected(framebuffer.error());
  return TestPicture{size, fourcc, std::move(*framebuffer)};
}

std::vector<PlaneShows> TestDisplay::frame(const Plane* plane, const TestPicture* picture) const {
  const Rect whole{0, 0, static_cast<int>(mode_.size.width), static_cast<int>(mode_.size.height)};
  std::vector<PlaneShows> planes = {{primary_, background_->id(), mode_.size, whole}};
  if (plane != nullptr) planes.push_back({plane, picture->framebuffer.id(), picture->size, place});
  return planes;
}

std::vector<PlaneShows> TestDisplay::primaryFrame(const TestPicture& picture) const {
  const Rect whole{0, 0, static_cast<int>(mode_.size.width), static_cast<int>(mode_.size.height)};
  return {{primary_, picture.framebuffer.id(), picture.size, whole}};
}

} // namespace vitrine::display_test
