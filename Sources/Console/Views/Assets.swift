/// A file that pages load.
struct Asset: Sendable {
    let bytes: [UInt8]
    let mediaType: String
}

/// The stylesheet, the scripts and the icon, which the binary contains.
enum Assets {
    /// The files by name.
    static let all: [String: Asset] = [
        "console.css": Asset(bytes: sent(PackageResources.console_css), mediaType: "text/css; charset=utf-8"),
        "console.js": script(PackageResources.console_js),
        "dialogs.js": script(PackageResources.dialogs_js),
        "live.js": script(PackageResources.live_js),
        "times.js": script(PackageResources.times_js),
        "icon.svg": Asset(bytes: PackageResources.icon_svg, mediaType: "image/svg+xml"),
    ]

    private static func script(_ bytes: [UInt8]) -> Asset {
        Asset(bytes: sent(bytes), mediaType: "text/javascript; charset=utf-8")
    }

    /// Returns a stylesheet or a script as browsers get it: without indentation, empty lines and lines that are a comment.
    ///
    /// A first visit gets all of them, and should stay under 60,000 bytes.
    private static func sent(_ source: [UInt8]) -> [UInt8] {
        let space = UInt8(ascii: " ")
        let comments = ["//", "/*"].map { Array($0.utf8) }
        var kept: [UInt8] = []
        kept.reserveCapacity(source.count)
        for line in source.split(separator: UInt8(ascii: "\n")) {
            let text = line.drop { $0 == space }
            let isComment =
                text.starts(with: comments[0])
                || text.starts(with: comments[1]) && text.suffix(2).elementsEqual("*/".utf8)
            if text.isEmpty || isComment { continue }
            kept += text
            kept.append(UInt8(ascii: "\n"))
        }
        return kept
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
