import FoundationEssentials
import JSON
import Keys
import Verification

/// A step of a verification.
enum Step: String, CaseIterable {
    case parseToken = "parse-token"
    case digestToken = "digest-token"
    case readNames = "read-names"
    case readPermissions = "read-permissions"
    case readScopes = "read-scopes"
    case readAddress = "read-address"
    case writeAddress = "write-address"
    case readRange = "read-range"
    case decide = "decide"
    case limit = "limit"
    case countUse = "count-use"
    case readBody = "read-body"
    case writeVerdict = "write-verdict"
    case writeTime = "write-time"
    case writeID = "write-id"

    /// Prepares the step and returns a function that performs it once, and returns something of its result.
    func work() -> () -> Int {
        let samples = Samples()
        return switch self {
        case .parseToken: { TokenParser.parse(samples.text)?.workspaceRef == samples.key.workspaceRef ? 1 : 0 }
        case .digestToken: { samples.peppers.digests(of: samples.token).count }
        case .readNames: { samples.hasExpectedNames ? 1 : 0 }
        case .readPermissions: { PermissionSet(names: samples.permissions)?.contains(.keysVerify) == true ? 1 : 0 }
        case .readScopes: { ScopeSet(freeForm: samples.scopes).scopes.count }
        case .readAddress: { IPAddress(samples.address)?.bitWidth ?? 0 }
        case .writeAddress: { IPAddress.v4(0xC000_02FF).description.utf8.count }
        case .readRange: { (try? AddressRange(samples.range))?.prefixLength ?? 0 }
        case .decide: { Keys.decide(samples.key, samples.request, at: samples.now).isValid ? 1 : 0 }
        case .limit: { samples.limiter.use(samples.key.keyID, samples.limits)?.remaining ?? 0 }
        case .countUse:
            {
                samples.usage.record(.control, samples.key, .valid, at: samples.now)
                return samples.usage.overflowCount
            }
        case .readBody: { (try? JSONValue(parsing: samples.body))?["token"]?.string?.utf8.count ?? 0 }
        case .writeVerdict: { samples.verdict() }
        case .writeTime: { samples.now.rfc3339.utf8.count }
        case .writeID: { UUIDv7.text(of: samples.key.keyID).utf8.count }
        }
    }
}
