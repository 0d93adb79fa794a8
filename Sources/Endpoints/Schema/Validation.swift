package import JSON

extension Schema {
    /// Returns the faults of a value, in the order of the value.
    ///
    /// The list has at most `Validation.maximumFaults` faults, so that a small request has no huge answer.
    package func validate(_ value: JSONValue, at pointer: JSONPointer = JSONPointer()) -> [Fault] {
        var validation = Validation(path: pointer.tokens)
        validation.check(value, against: self)
        return validation.faults
    }
}

/// One walk over a value.
///
/// The path is a stack, so that a value without faults creates no pointers.
struct Validation {
    /// The maximum number of reported faults.
    static let maximumFaults = 100

    var path: [JSONPointer.Token]
    private(set) var faults: [Fault] = []

    init(path: [JSONPointer.Token]) {
        self.path = path
    }

    mutating func fail(_ detail: String, _ kind: Fault.Kind = .unacceptable) {
        guard faults.count < Self.maximumFaults else { return }
        faults.append(Fault(.body(JSONPointer(path)), detail, kind: kind))
    }

    mutating func fail(member name: String, _ detail: String, _ kind: Fault.Kind = .unacceptable) {
        path.append(.member(name))
        fail(detail, kind)
        path.removeLast()
    }

    mutating func check(_ value: JSONValue, against schema: Schema) {
        switch schema {
        case .text(let rules):
            guard case .string(let text) = value else { return fail("must be a string", .mistyped) }
            if let fault = rules.fault(in: text) { fail(fault) }
        case .integer(let range): checkInteger(value, in: range)
        case .number(let range): checkNumber(value, in: range)
        case .boolean:
            guard case .bool = value else { return fail("must be true or false", .mistyped) }
        case .array(let element, let count): checkArray(value, of: element, count: count)
        case .object(let rules): checkObject(value, rules)
        case .free(let rules): checkFree(value, rules)
        case .nullable(let schema):
            if !value.isNull { check(value, against: schema) }
        case .lenient: break
        case .checked(let schema, let rule):
            let before = faults.count
            check(value, against: schema)
            guard faults.count == before, let fault = rule.fault(value) else { return }
            fail(fault, fault == Fault.isRequired ? .missing : .unacceptable)
        case .described(let schema, _), .component(_, let schema): check(value, against: schema)
        }
    }

    private mutating func checkInteger(_ value: JSONValue, in range: ClosedRange<Int64>) {
        guard case .number(let number) = value, let integer = number.int64 else {
            return fail("must be an integer", .mistyped)
        }
        guard range.contains(integer) else {
            return fail("must lie between \(range.lowerBound) and \(range.upperBound)")
        }
    }

    private mutating func checkNumber(_ value: JSONValue, in range: ClosedRange<Double>?) {
        guard case .number(let number) = value, let double = number.double else {
            return fail("must be a number in the range of double precision", .mistyped)
        }
        guard let range, !range.contains(double) else { return }
        fail("must lie between \(Self.text(range.lowerBound)) and \(Self.text(range.upperBound))")
    }

    /// Returns a bound without a fraction of zero.
    private static func text(_ bound: Double) -> String { Int64(exactly: bound).map(String.init) ?? "\(bound)" }

    private mutating func checkArray(_ value: JSONValue, of element: Schema, count: ClosedRange<Int>) {
        guard case .array(let elements) = value else { return fail("must be an array", .mistyped) }
        guard count.contains(elements.count) else {
            return fail("must have \(count.lowerBound) to \(count.upperBound) elements")
        }
        for (index, item) in elements.enumerated() {
            path.append(.element(index))
            check(item, against: element)
            path.removeLast()
        }
    }

    private mutating func checkObject(_ value: JSONValue, _ rules: ObjectRules) {
        guard case .object(let object) = value else { return fail("must be an object", .mistyped) }
        var found = 0
        for member in object.members {
            if let field = rules.fields.first(where: { $0.name.hasSameBytes(as: member.name) }) {
                found += field.isRequired ? 1 : 0
                path.append(.member(member.name))
                check(member.value, against: field.schema)
                path.removeLast()
            } else if rules.unknown == .refused {
                fail(member: member.name, "is not a member of this object")
            }
        }
        guard found < rules.fields.count(where: \.isRequired) else { return }
        for field in rules.fields where field.isRequired && object[field.name] == nil {
            fail(member: field.name, Fault.isRequired, .missing)
        }
    }
}
