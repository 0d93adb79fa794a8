package import JSON

/// Decodes the fields of a form (`application/x-www-form-urlencoded`, WHATWG URL section 5.1).
package enum FormDecoding {
    /// The maximum number of fields.
    ///
    /// The search for repeated names takes time that grows with its square.
    package static let maximumCount = 100

    /// Returns the fields as members with string values.
    ///
    /// Repeated fields, too many fields, and text that is not percent-encoded UTF-8 are faults.
    package static func object(_ bytes: some Sequence<UInt8>, _ faults: inout [Fault]) -> JSONValue {
        var object = JSONObject()
        guard let text = String(validating: bytes, as: UTF8.self) else {
            faults.append(malformed)
            return .object(object)
        }
        for pair in text.split(separator: "&", omittingEmptySubsequences: true) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard object.count < maximumCount, let name = PercentDecoding.decode(parts[0], plusIsSpace: true),
                let value = PercentDecoding.decode(parts.count > 1 ? parts[1] : "", plusIsSpace: true)
            else {
                faults.append(malformed)
                break
            }
            guard object[name] == nil else {
                faults.append(Fault(.body(JSONPointer([.member(name)])), "must not be repeated"))
                break
            }
            object[name] = .string(value)
        }
        return .object(object)
    }

    private static let malformed = Fault(
        .body(JSONPointer()),
        "must be a form of at most \(maximumCount) fields in percent-encoded UTF-8",
        kind: .mistyped
    )
}
