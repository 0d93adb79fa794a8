package import FoundationEssentials
import Keys

/// The audience of a check, as the path names it.
package enum AudienceName: Sendable, Hashable {
    /// A workspace, by its id.
    case workspace(UUID)
    /// An organization, by its id.
    case organization(UUID)
    /// An organization, by its slug.
    case organizationSlug(String)
    /// A text that is neither an id nor a slug.
    ///
    /// It is answered like an audience that does not exist.
    case malformed

    /// Reads the id of a workspace, or the id or the slug of an organization.
    init(_ text: String, isWorkspace: Bool) {
        self =
            if let id = UUIDv7.parse(text) {
                isWorkspace ? .workspace(id) : .organization(id)
            } else if !isWorkspace, Self.isSlug(text) {
                .organizationSlug(text)
            } else {
                .malformed
            }
    }

    /// Returns true for a text that can be a slug: 1 to 63 of `a-z`, `0-9` and `-`.
    private static func isSlug(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}

/// The path of a check: `/v1/authorize/workspaces/{id}{options}/{anything}`, or the same with an organization.
///
/// The gateway's configuration writes the path up to `{anything}`. The rest comes from the client and is not read.
package struct CheckPath: Sendable, Hashable {
    /// The audience.
    package let audience: AudienceName
    /// The options.
    package let options: CheckOptions

    private static let prefix = "/v1/authorize/"
    private static let workspaces = "workspaces/"
    private static let organizations = "organizations/"

    /// Reads a request target.
    ///
    /// - Parameter target: The target, in origin form or in absolute form (RFC 9112 section 3.2).
    /// - Returns: The path, or `nil` if the target is not the target of a check.
    /// - Throws: `CheckFault` for options that the gateway's configuration must not write.
    package static func read(_ target: String) throws(CheckFault) -> CheckPath? {
        guard let (isWorkspace, segment) = audienceSegment(path(of: target)) else { return nil }
        let semicolon = segment.utf8.firstIndex(of: UInt8(ascii: ";")) ?? segment.endIndex
        let options = try CheckOptions(reading: segment[semicolon...])
        let name = String(segment[..<semicolon])
        return CheckPath(audience: AudienceName(name, isWorkspace: isWorkspace), options: options)
    }

    /// Returns the end of the part of a target that the gateway's configuration writes.
    ///
    /// The rest has no influence on the result of ``read(_:)``. The result is `nil` if the target is not in origin form or not that of a
    /// check.
    package static func endOfConfiguration(in target: String) -> String.Index? {
        guard target.hasPrefix(prefix) else { return nil }
        var target = target
        let end = target.withUTF8 { endOfConfiguration(in: $0, from: prefix.utf8.count) }
        return end.map { target.utf8.index(target.startIndex, offsetBy: $0) }
    }

    private static func endOfConfiguration(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        var isInSegment = false
        for index in start..<bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "/"):
                if isInSegment { return index }
                isInSegment = true
            case UInt8(ascii: "?"), UInt8(ascii: "#"): return isInSegment ? index : nil
            default: break
            }
        }
        return isInSegment ? bytes.count : nil
    }

    /// Returns the path and query of a target.
    private static func path(of target: some StringProtocol) -> Substring {
        let target = Substring(target)
        guard target.utf8.first != UInt8(ascii: "/"), let scheme = target.utf8.firstRange(of: "://".utf8) else {
            return target
        }
        let rest = target[scheme.upperBound...]
        return rest[(rest.utf8.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex)...]
    }

    /// Returns the segment that names the audience, with its options.
    private static func audienceSegment(_ path: Substring) -> (isWorkspace: Bool, segment: Substring)? {
        guard path.utf8.starts(with: prefix.utf8) else { return nil }
        let rest = path[path.utf8.index(path.startIndex, offsetBy: prefix.utf8.count)...]
        for (kind, isWorkspace) in [(workspaces, true), (organizations, false)] where rest.utf8.starts(with: kind.utf8)
        {
            let tail = rest[rest.utf8.index(rest.startIndex, offsetBy: kind.utf8.count)...]
            let end =
                tail.utf8.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }
                ?? tail.endIndex
            return (isWorkspace, tail[..<end])
        }
        return nil
    }
}
