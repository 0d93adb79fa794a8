import ArgumentParser

/// The shares of the tokens that the load tool presents, such as `valid=90,revoked=10`.
package struct BenchMix: Sendable, Equatable, ExpressibleByArgument, CustomStringConvertible {
    /// A kind of token.
    package enum Kind: String, Sendable, CaseIterable {
        /// The token of a key that works.
        case valid
        /// The token of a revoked key.
        case revoked
        /// The token of an expired key.
        case expired
        /// The token of a disabled key.
        case disabled
        /// A text with the form of a token, whose checksum is wrong.
        case garbage

        /// The code of the verdict.
        package var code: String { self == .garbage ? "malformed" : rawValue }
    }

    /// The kinds with their shares, in the order of the text.
    package let shares: [(kind: Kind, share: Int)]

    /// Reads shares, which are whole numbers of any sum.
    ///
    /// Returns `nil` for any other text.
    package init?(argument: String) {
        var shares: [(kind: Kind, share: Int)] = []
        for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
            let pair = part.split(separator: "=", omittingEmptySubsequences: false)
            guard pair.count == 2, let kind = Kind(rawValue: String(pair[0])), let share = Int(pair[1]),
                (0...1_000_000).contains(share), !shares.contains(where: { $0.kind == kind })
            else { return nil }
            shares.append((kind, share))
        }
        guard shares.contains(where: { $0.share > 0 }) else { return nil }
        self.init(shares.filter { $0.share > 0 })
    }

    private init(_ shares: [(kind: Kind, share: Int)]) {
        self.shares = shares
    }

    /// The mix of a busy service: mostly valid tokens.
    package static let standard = BenchMix([(.valid, 90), (.revoked, 4), (.expired, 3), (.garbage, 3)])

    /// The text that `init(argument:)` reads.
    package var description: String { shares.map { "\($0.kind.rawValue)=\($0.share)" }.joined(separator: ",") }

    /// The text of the default in a help text.
    package var defaultValueDescription: String { description }

    /// Returns true if two mixes have the same shares in the same order.
    package static func == (one: BenchMix, other: BenchMix) -> Bool { one.description == other.description }

    /// Returns the number of tokens of each kind among some tokens, at least one of each.
    package func numbers(of total: Int) -> [(kind: Kind, number: Int)] {
        let sum = shares.reduce(0) { $0 + $1.share }
        return shares.map { ($0.kind, max(1, total * $0.share / sum)) }
    }

    /// Returns the order in which a connection presents tokens.
    ///
    /// - Parameters:
    ///   - length: The length of the order, before it repeats.
    ///   - tokens: The number of tokens of each kind, in the order of ``shares``. Their indices follow each other.
    ///   - randomness: The source of the order.
    /// - Returns: The indices of the tokens.
    package func order(
        length: Int,
        tokens: [Int],
        using randomness: inout some RandomNumberGenerator
    ) -> [Int] {
        let sum = shares.reduce(0) { $0 + $1.share }
        var order: [Int] = []
        var first = 0
        for (share, count) in zip(shares, tokens) {
            let number = max(1, length * share.share / sum)
            for index in 0..<number { order.append(first + index % count) }
            first += count
        }
        order.shuffle(using: &randomness)
        return order
    }
}
