import JSON

extension Validation {
    /// Checks the size of any JSON value, and that PostgreSQL's `jsonb` can store it.
    mutating func checkFree(_ value: JSONValue, _ rules: FreeRules) {
        if rules.isObject, value.object == nil { return fail("must be an object", .mistyped) }
        var writer = JSONWriter()
        writer.value(value)
        guard writer.bytes.count <= rules.maximumBytes else {
            return fail("must have at most \(rules.maximumBytes) bytes as compact JSON")
        }
        checkStorable(value)
    }

    /// Checks for values that `jsonb` cannot store.
    ///
    /// `jsonb` refuses U+0000. It writes numbers without an exponent, which can make a small document large.
    private mutating func checkStorable(_ value: JSONValue) {
        switch value {
        case .null, .bool: break
        case .string(let text):
            if text.utf8.contains(0) { fail("must not contain the character U+0000") }
        case .number(let number):
            if !number.isStorable { fail("must be a number of at most 64 digits when written without an exponent") }
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                path.append(.element(index))
                checkStorable(element)
                path.removeLast()
            }
        case .object(let object):
            for member in object.members {
                path.append(.member(member.name))
                if member.name.utf8.contains(0) { fail("must not have U+0000 in its name") }
                checkStorable(member.value)
                path.removeLast()
            }
        }
    }
}
