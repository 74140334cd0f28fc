// Plane tables of real display controllers, as far as their mainline drivers say. Sizes of buffers that memory bandwidth
// allows are not in the drivers and are left out.
#include "tests/unit/board.h"
#include "tests/unit/plane_builder.h"

namespace vitrine::test {
namespace {

constexpr uint64_t linear = DRM_FORMAT_MOD_LINEAR;
constexpr uint64_t afbc = DRM_FORMAT_MOD_ARM_AFBC(AFBC_FORMAT_MOD_BLOCK_SIZE_16x16 | AFBC_FORMAT_MOD_SPARSE);

/** Builds a board plane by plane; planes without a number of their own get the next id. */
class Builder {
public:
  Builder(std::string name, std::string source) {
    board_.name = std::move(name);
    board_.source = std::move(source);
    board_.output = makeOutput();
    board_.output.upperFourcc = DRM_FORMAT_ARGB8888;
    board_.output.upperModifier = linear;
  }

  Builder& plane(PlaneType type, ZposRange zpos, uint32_t defaultZpos, std::initializer_list<uint32_t> fourccs,
                 uint64_t modifier = linear) {
    const auto id = static_cast<uint32_t>(30 + board_.planes.size());
    Plane plane = makePlane(id, type, defaultZpos, {});
    plane.zpos = zpos;
    for (const uint32_t fourcc : fourccs)
      plane.formats.push_back({fourcc, modifier});
    if (type == PlaneType::Primary) {
      board_.output.primaryId = id;
      board_.output.composedModifier = modifier;
    }
    board_.planes.push_back(plane);
    board_.rules.planes.push_back({.planeId = id});
    return *this;
  }
  Builder& colours() {
    giveColours(board_.planes.back());
    return *this;
  }
  Builder& alpha() {
    giveAlpha(board_.planes.back());
    return *this;
  }
  Builder& scales(double least, double most) {
    board_.rules.planes.back().leastScale = least;
    board_.rules.planes.back().mostScale = most;
    return *this;
  }
  Builder& sizes(std::vector<Size> sizes) {
    board_.rules.planes.back().sizes = std::move(sizes);
    return *this;
  }
  BoardRules& rules() { return board_.rules; }
  Board board() { return std::move(board_); }

private:
  Board board_;
};

constexpr auto primary = PlaneType::Primary;
constexpr auto overlay = PlaneType::Overlay;
constexpr auto cursor = PlaneType::Cursor;

Board intel() {
  Builder b("Intel display 12 (Tiger Lake)",
            "drivers/gpu/drm/i915/display/skl_universal_plane.c: zpos immutable, the plane's number; skl_scaler.c: two "
            "scalers a pipe; intel_cursor.c: ARGB8888, 64 to 256 square");
  for (uint32_t i = 0; i < 5; ++i) {
    b.plane(i == 0 ? primary : overlay, {i, i}, i,
            {DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888, DRM_FORMAT_NV12, DRM_FORMAT_P010})
        .colours()
        .alpha()
        .scales(1.0 / 3, 8);
  }
  b.plane(cursor, {5, 5}, 5, {DRM_FORMAT_ARGB8888}).sizes({{64, 64}, {128, 128}, {256, 256}});
  b.rules().mostScaled = 2;
  return b.board();
}

Board amd() {
  Builder b("AMD DCN 2.1",
            "drivers/gpu/drm/amd/display/amdgpu_dm/amdgpu_dm_plane.c, amdgpu_dm_plane_init(): the primary's zpos is "
            "immutable, "
            "the number of overlays; overlays have 0 to 254, the cursor 255; colour properties for NV12 and P010. "
            "amdgpu_dm.c, dm_check_cursor_fb(): 64, 128 and 256 square; dm_crtc_get_cursor_mode(): the cursor inherits "
            "scaling and format from what lies under it");
  b.plane(overlay, {0, 254}, 2, {DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888, DRM_FORMAT_NV12, DRM_FORMAT_P010})
      .colours()
      .alpha()
      .scales(0.25, 16);
  b.plane(primary, {1, 1}, 1, {DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888, DRM_FORMAT_NV12, DRM_FORMAT_P010})
      .colours()
      .scales(0.25, 16);
  b.plane(cursor, {255, 255}, 255, {DRM_FORMAT_ARGB8888}).sizes({{64, 64}, {128, 128}, {256, 256}});
  b.rules().primaryNeeded = true;
  b.rules().cursorNotOverYuv = true;
  return b.board();
}

Board rk3399() {
  Builder b(
      "Rockchip RK3399 VOP big",
      "drivers/gpu/drm/rockchip/rockchip_vop_reg.c, rk3399_vop_win_data: win0 primary, win1 and win2 overlays, win3 of "
      "type cursor with all RGB formats; NV12 and scaling by 8 on win0 and win1. rockchip_drm_vop.c: no zpos, no "
      "colour "
      "properties");
  b.plane(primary, {0, 0}, 0, {DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888, DRM_FORMAT_NV12}).scales(0.125, 8);
  b.plane(overlay, {1, 1}, 1, {DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888, DRM_FORMAT_NV12}).scales(0.125, 8);
  b.plane(overlay, {2, 2}, 2, {DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888});
  b.plane(cursor, {3, 3}, 3, {DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888});
  return b.board();
}

Board rk3588() {
  Builder b(
      "Rockchip RK3588 VOP2",
      "drivers/gpu/drm/rockchip/rockchip_vop2_reg.c, rk3588_vop_win_data: Cluster windows AFBC only and scaling by 4, "
      "Esmart windows linear only and scaling by 8; rockchip_drm_vop2.c, vop2_plane_init(): zpos from 0 to the number "
      "of "
      "windows less one, no colour properties. One Cluster and four Esmart windows as one video port may have them");
  b.plane(primary, {0, 7}, 0, {DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888}, afbc).alpha().scales(0.25, 4);
  for (uint32_t i = 1; i < 5; ++i)
    b.plane(overlay, {0, 7}, i, {DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888, DRM_FORMAT_NV12}).alpha().scales(0.125, 8);
  return b.board();
}

Board msm() {
  Builder b(
      "Qualcomm DPU (SDM845)",
      "drivers/gpu/drm/msm/disp/dpu1/dpu_plane.c: zpos from 0 to 255 on every plane; VIG pipes scale from 1/4 to 20 "
      "and take "
      "YCbCr, DMA pipes do neither; catalog/dpu_4_0_sdm845.h: four VIG and four DMA pipes for all CRTCs. No colour "
      "properties");
  for (uint32_t i = 0; i < 4; ++i) {
    const bool vig = i < 2;
    b.plane(i == 0 ? primary : overlay, {0, 255}, i, {DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888}).alpha();
    if (vig) {
      b.scales(0.25, 20);
    }
  }
  Board board = b.board();
  for (size_t i = 0; i < 2; ++i)
    board.planes[i].formats.push_back({DRM_FORMAT_NV12, linear});
  return board;
}

Board imx8() {
  Builder b(
      "NXP i.MX8M DCSS",
      "drivers/gpu/drm/imx/dcss/dcss-plane.c and dcss-crtc.c: three planes, zpos immutable 0 to 2, no alpha or colour "
      "properties; dcss-scaler.c, dcss_scaler_factors: scaling from 1/3 to 8 on the primary, from 1/5 on overlays");
  for (uint32_t i = 0; i < 3; ++i) {
    b.plane(i == 0 ? primary : overlay, {i, i}, i, {DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888, DRM_FORMAT_NV12})
        .scales(i == 0 ? 1.0 / 3 : 0.2, 8);
  }
  b.rules().primaryNeeded = true;
  return b.board();
}

Board tidss() {
  Builder b(
      "TI Keystone DSS (AM65x)",
      "drivers/gpu/drm/tidss/tidss_plane.c: zpos from 0 to the number of planes less one on every plane, alpha, colour "
      "properties; tidss_dispc.c, dispc_am65x_feats: vid scales from 1/4 to 16, vidl1 does not");
  b.plane(primary, {0, 1}, 0, {DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888, DRM_FORMAT_NV12}).colours().alpha();
  b.plane(overlay, {0, 1}, 1, {DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888, DRM_FORMAT_NV12})
      .colours()
      .alpha()
      .scales(0.25, 16);
  return b.board();
}

Board vc4() {
  Builder b("Broadcom VC4 HVS (Raspberry Pi 4)",
            "drivers/gpu/drm/vc4/vc4_plane.c: the primary's zpos is immutable 0, overlays and the cursor have 1 to the "
            "number of "
            "overlays plus one; all planes take the same formats, also the one of type cursor, and scale");
  b.plane(primary, {0, 0}, 0, {DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888, DRM_FORMAT_NV12})
      .colours()
      .alpha()
      .scales(0.0625, 16);
  for (uint32_t i = 1; i < 5; ++i)
    b.plane(overlay, {1, 9}, i, {DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888, DRM_FORMAT_NV12})
        .colours()
        .alpha()
        .scales(0.0625, 16);
  b.plane(cursor, {1, 9}, 9, {DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888, DRM_FORMAT_NV12})
      .colours()
      .alpha()
      .scales(0.0625, 16);
  return b.board();
}

} // namespace

std::vector<Board> knownBoards() {
  return {intel(), amd(), rk3399(), rk3588(), msm(), imx8(), tidss(), vc4()};
}

} // namespace vitrine::test
