/// A file that pages load.
struct Asset: Sendable {
    let bytes: [UInt8]
    let mediaType: String
}

/// The stylesheet, the scripts and the icon, which the binary contains.
enum Assets {
    /// The files by name.
    static let all: [String: Asset] = [
        "console.css": Asset(bytes: PackageResources.console_css, mediaType: "text/css; charset=utf-8"),
        "console.js": script(PackageResources.console_js),
        "dialogs.js": script(PackageResources.dialogs_js),
        "live.js": script(PackageResources.live_js),
        "times.js": script(PackageResources.times_js),
        "icon.svg": Asset(bytes: PackageResources.icon_svg, mediaType: "image/svg+xml"),
    ]

    private static func script(_ bytes: [UInt8]) -> Asset {
        Asset(bytes: bytes, mediaType: "text/javascript; charset=utf-8")
    }

    /// The version of the files: a hash of all of them (FNV-1a), which tells two builds apart and protects nothing.
    static let version: String = {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for name in all.keys.sorted() {
            for byte in all[name]?.bytes ?? [] { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        }
        return String(hash, radix: 36)
    }()
}
