import Crypto
import CryptoExtras
import FoundationEssentials
import Keys

/// The cost of hashing a password with scrypt (RFC 7914).
public struct PasswordCost: Sendable, Hashable {
    /// The binary logarithm of the cost parameter N; memory is 2^logN times `blockSize` times 128 bytes.
    public let logN: Int
    /// The block size r.
    public let blockSize: Int
    /// The parallelisation parameter p.
    public let parallelism: Int

    /// Creates a cost, or `nil` if a parameter is out of range: logN 4 to 20, r 1 to 32, p 1 to 16, and at most 256 MiB
    /// of memory.
    public init?(logN: Int, blockSize: Int = 8, parallelism: Int = 1) {
        guard (4...20).contains(logN), (1...32).contains(blockSize), (1...16).contains(parallelism),
            128 * blockSize << logN <= 256 << 20
        else { return nil }
        self.init(checked: logN, blockSize, parallelism)
    }

    private init(checked logN: Int, _ blockSize: Int, _ parallelism: Int) {
        self.logN = logN
        self.blockSize = blockSize
        self.parallelism = parallelism
    }

    /// 32 MiB and three passes: the choice for little memory among the equally strong ones of OWASP's Password Storage
    /// Cheat Sheet.
    public static let standard = PasswordCost(checked: 15, 8, 3)
}

/// The stored form of a password: a memory-hard hash with its salt and cost, as `$scrypt$ln=15,r=8,p=3$<salt>$<hash>`
/// in base64.
///
/// It does not print.
package struct PasswordHash: Sendable, CustomStringConvertible {
    private let cost: PasswordCost
    private let salt: [UInt8]
    private let hash: [UInt8]

    private static let saltBytes = 16
    private static let hashBytes = 32

    /// Hashes a password.
    ///
    /// It takes a tenth of a second or more, so it must not run on the cooperative pool.
    package init(of password: String, cost: PasswordCost, salt: [UInt8]) throws {
        self.cost = cost
        self.salt = salt
        hash = try Self.derive(password, cost, salt)
    }

    private init(cost: PasswordCost, salt: [UInt8], hash: [UInt8]) {
        self.cost = cost
        self.salt = salt
        self.hash = hash
    }

    /// Returns a hash that no password has.
    ///
    /// It is compared for an unknown user, because that answer must take as long.
    static func decoy(_ cost: PasswordCost) -> PasswordHash {
        PasswordHash(
            cost: cost,
            salt: Array(repeating: 0, count: Self.saltBytes),
            hash: Array(repeating: 0, count: Self.hashBytes)
        )
    }

    /// Returns the salt for a new hash.
    static func salt(_ randomness: Randomness) -> [UInt8] { randomness.bytes(Self.saltBytes) }

    /// Parses the stored text, or returns `nil` for any other text.
    init?(_ text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt", let cost = Self.cost(parts[2]),
            let salt = Data(base64Encoded: String(parts[3])), let hash = Data(base64Encoded: String(parts[4])),
            salt.count == Self.saltBytes, hash.count == Self.hashBytes
        else { return nil }
        self.cost = cost
        self.salt = Array(salt)
        self.hash = Array(hash)
    }

    private static func cost(_ text: Substring) -> PasswordCost? {
        let values = text.split(separator: ",", omittingEmptySubsequences: false)
        let names = ["ln=", "r=", "p="]
        guard values.count == names.count else { return nil }
        let numbers = zip(names, values)
            .compactMap { name, value in
                value.hasPrefix(name) ? Int(value.dropFirst(name.count)) : nil
            }
        guard numbers.count == names.count else { return nil }
        return PasswordCost(logN: numbers[0], blockSize: numbers[1], parallelism: numbers[2])
    }

    /// The text that the database stores.
    var text: String {
        "$scrypt$ln=\(cost.logN),r=\(cost.blockSize),p=\(cost.parallelism)"
            + "$\(Data(salt).base64EncodedString())$\(Data(hash).base64EncodedString())"
    }

    /// Returns true if the hash is that of a password.
    ///
    /// A wrong password takes as long as the right one.
    package func matches(_ password: String) throws -> Bool {
        let other = try Self.derive(password, cost, salt)
        return ConstantTime.areEqual(hash.span, other.span)
    }

    /// Returns true if the hash has another cost.
    func isOutdated(_ cost: PasswordCost) -> Bool { self.cost != cost }

    package var description: String { "PasswordHash(redacted)" }

    private static func derive(_ password: String, _ cost: PasswordCost, _ salt: [UInt8]) throws -> [UInt8] {
        // An empty array has no address for C. No password is empty, so the substitute does not matter.
        let key = try KDF.Scrypt.deriveKey(
            from: password.isEmpty ? [0] : Array(password.utf8),
            salt: salt,
            outputByteCount: Self.hashBytes,
            rounds: 1 << cost.logN,
            blockSize: cost.blockSize,
            parallelism: cost.parallelism
        )
        return key.withUnsafeBytes { Array($0) }
    }
}
