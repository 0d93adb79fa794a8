package import Endpoints
import JSON
import Keys
import Tenancy

/// The schemas of domain values that several surfaces use.
package enum DomainSchema {
    /// The path parameter that names a workspace.
    package static let workspaceParameter = PathParameter(
        "workspace",
        "The workspace's id, or its slug within the caller's organization."
    )

    /// The addresses and ranges that a key can be used from.
    package static let addresses = Schema.array(
        of: Schema.string(min: 1, max: 64)
            .checked { value in
                do throws(AddressFault) {
                    _ = try AddressRange(value.string ?? "")
                    return nil
                } catch {
                    return clause(error)
                }
            },
        max: 100
    )

    private static func clause(_ fault: AddressFault) -> String {
        switch fault {
        case .notAnAddress: "must be an IPv4 or IPv6 address, or a range such as \"192.0.2.0/24\""
        case .badPrefixLength(let maximum): "must have a length from 0 to \(maximum) after the \"/\""
        case .mappedPrefixTooShort: "must be written as an IPv4 range"
        case .hostBitsSet: "must have no bits set after the length of the range"
        }
    }

    /// A short name in URLs.
    ///
    /// A slug must not have the form of an id, because the server would read it as an id.
    package static let slug = Schema.string(min: 1, max: 63, .slug)
        .checked { value in
            guard let text = value.string, (try? Slug(validating: text)) == nil else { return nil }
            return "must not have the form of an id"
        }
}
