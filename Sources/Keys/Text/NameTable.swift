/// The cases of an enumeration by their names, which are 1 to 16 ASCII characters long.
///
/// Every look-up of a key reads the names of its kind, mode and permissions from the database. A table finds a case without
/// comparing strings, as the synthesized `init(rawValue:)` does for each case.
struct NameTable<Value: RawRepresentable<String> & CaseIterable & Sendable>: Sendable {
    private let entries: [(name: UInt128, length: Int, value: Value)]

    init() {
        entries = Value.allCases.map { value in
            let name = value.rawValue.utf8
            return (UInt128(packing: name.span), name.count, value)
        }
    }

    /// Returns the case with a name, or `nil` if there is none.
    func value(named name: borrowing Span<UInt8>) -> Value? {
        guard name.count <= 16 else { return nil }
        let packed = UInt128(packing: name)
        // A zero byte at the end of a name is packed like no byte at all.
        for entry in entries where entry.name == packed && entry.length == name.count { return entry.value }
        return nil
    }
}
