#!/usr/bin/env bash
# debian.sh TREE PLATFORM DIST: makes a Debian package, whose files are where Debian wants them.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/lib/packages.sh
. scripts/lib/dist.sh
describe "$@"

case $processor in
x86_64) architecture=amd64 ;;
aarch64) architecture=arm64 ;;
*) give_up dist "debian.sh has no name for the processor of $platform, add one" ;;
esac
# A `~` is older than the version without it: 1.0.0~rc.1.
debian_version=${version/-/\~}
depends="libc6 (>= $(gnu_libc "$tree"))"
if objdump -p "$tree/bin/tidegate" | grep -q 'NEEDED.*libgcc_s'; then
    depends+=", libgcc-s1 | libgcc1"
fi

# The field must have an address, and the project has none.
maintainer="The authors of Tidegate <noreply@tidegate.invalid>"

root=$work/root
documents=$root/usr/share/doc/tidegate
mkdir -p "$root/DEBIAN"
cp -R "$tree" "$root/usr"
mkdir -p "$root/usr/share/zsh/vendor-completions"
mv "$root/usr/share/zsh/site-functions/_tidegate" "$root/usr/share/zsh/vendor-completions/"
rmdir "$root/usr/share/zsh/site-functions"
gzip -9n "$root/usr/share/man/man1/"*
gzip -9n "$documents/THIRD-PARTY"
gzip -9n "$documents/CHANGELOG.md"
rm "$documents/LICENSE"
gzip -9n >"$documents/changelog.gz" <<END
tidegate ($debian_version) stable; urgency=medium

  * CHANGELOG.md.gz beside this file lists the changes.

 -- $maintainer  $(LC_ALL=C date --utc -R --date="@$SOURCE_DATE_EPOCH")
END
cat >"$documents/copyright" <<END
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: tidegate
Source: $homepage
Comment: THIRD-PARTY.gz beside this file has the licences of the crates in the binary.

Files: *
Copyright: $(date --utc --date="@$SOURCE_DATE_EPOCH" +%Y) The authors of Tidegate
License: Apache-2.0

License: Apache-2.0
 /usr/share/common-licenses/Apache-2.0 has the text of this licence.
END
cat >"$root/DEBIAN/control" <<END
Package: tidegate
Version: $debian_version
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(du -sk --apparent-size "$root/usr" | cut -f1)
Depends: $depends
Section: utils
Priority: optional
Homepage: $homepage
Description: $summary
 Tidegate runs stream-processing jobs whose operators are WebAssembly
 components, with aligned checkpoints, exactly-once recovery and savepoints.
END
dpkg-deb --root-owner-group -Zxz --build "$root" \
    "$dist/tidegate_${debian_version}_$architecture.deb" >/dev/null
