#!/bin/sh
# Deletes from an installed bpy what no render without a graphics card touches.
set -eu
blender=$1/bpy
# Cycles' kernels for graphics cards, and the denoiser's.
rm -f "$blender"/*/scripts/addons_core/cycles/lib/*.zst
rm -f "$blender"/lib/libOpenImageDenoise_device_cuda.so* \
    "$blender"/lib/libOpenImageDenoise_device_hip.so* \
    "$blender"/lib/libOpenImageDenoise_device_sycl.so*
# Add-ons that import and export, manage a studio's assets, or help in the interface.
for addon in "$blender"/*/scripts/addons_core/*; do
    case ${addon##*/} in
        cycles | __init__.py | __pycache__) ;;
        *) rm -rf "$addon" ;;
    esac
done
# Templates and presets of the interface, icons, translations, and assets to choose from.
rm -rf "$blender"/*/scripts/templates_* "$blender"/*/datafiles/icons \
    "$blender"/*/datafiles/locale "$blender"/*/datafiles/assets
# What pip brought for building, and tests.
rm -rf "$1"/cython* "$1"/Cython* "$1"/bin "$1"/numpy/tests "$1"/numpy/*/tests
