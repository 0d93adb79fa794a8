import JSON
import MortiseClient

/// A line of a file of tokens.
struct VerifyBatchLine: Sendable {
    /// The number of the line, from 1.
    let number: Int
    /// The verification that the line asks for.
    let verification: Mortise.Verification

    /// Reads a line, which is a token, or a JSON object as `POST /v1/verify` takes it.
    ///
    /// - Parameters:
    ///   - text: The line without blanks around it.
    ///   - number: The number of the line, from 1.
    ///   - file: The file, for the error message.
    ///   - conditions: The conditions for all lines. A member of the object replaces its condition for this line.
    /// - Throws: `CommandFailure` of kind `usage`, which does not quote the line.
    init(_ text: String, number: Int, of file: InputFile, _ conditions: VerifyConditions) throws(CommandFailure) {
        self.number = number
        let source = "Line \(number) of \(file.path)"
        guard text.hasPrefix("{") else {
            verification = conditions.verification(of: try SecretToken(checking: text, from: source))
            return
        }
        let form = "A line is a token, or an object: {\"token\": \"mks_live_…\", \"scopes\": [\"read:invoices\"]}."
        guard let object = try? JSONValue(parsing: Array(text.utf8)).object else {
            throw .usage("\(source) is neither a token nor a JSON object.", details: [form])
        }
        guard let token = object["token"]?.string else {
            throw .usage("\(source) is a JSON object without a \"token\".", details: [form])
        }
        var verification = conditions.verification(of: SecretToken(token))
        for member in object.members {
            do throws(MemberFault) {
                try Self.apply(member.name, member.value, to: &verification)
            } catch {
                throw .usage("\(source): \(error.reason)")
            }
        }
        self.verification = verification
    }

    private struct MemberFault: Error {
        let reason: String
    }

    private static func apply(
        _ name: String,
        _ value: JSONValue,
        to verification: inout Mortise.Verification
    ) throws(MemberFault) {
        switch name {
        case "token": break
        case "scopes":
            guard let scopes = value.isNull ? [] : value.array?.map(\.string), !scopes.contains(nil) else {
                throw MemberFault(reason: "\"scopes\" must be a list of strings.")
            }
            verification.scopes = scopes.compactMap(\.self)
        case "address": verification.address = try text(name, value)
        case "mode": verification.mode = try text(name, value).map(Mortise.Key.Mode.init)
        case "namespace": verification.namespace = try text(name, value)
        default:
            throw MemberFault(
                reason: "The object has an unknown member. Known are token, scopes, address, mode and namespace."
            )
        }
    }

    private static func text(_ name: String, _ value: JSONValue) throws(MemberFault) -> String? {
        guard value.isNull || value.string != nil else { throw MemberFault(reason: "\"\(name)\" must be a string.") }
        return value.string
    }
}
