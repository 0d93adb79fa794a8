// swift-tools-version: 6.2
import PackageDescription

/// The language mode and the checks that every target of Mortise is built with.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

/// The two targets that hold pointers say so at every use.
let pointerSettings = settings + [.strictMemorySafety()]

let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let coreMetrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTP2 = Target.Dependency.product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioHPACK = Target.Dependency.product(name: "NIOHPACK", package: "swift-nio-http2")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let jwtKit = Target.Dependency.product(name: "JWTKit", package: "jwt-kit")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let tracing = Target.Dependency.product(name: "Tracing", package: "swift-distributed-tracing")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let inMemoryTracing = Target.Dependency.product(name: "InMemoryTracing", package: "swift-distributed-tracing")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")

let package = Package(
    name: "mortise",
    platforms: [.macOS(.v26)],
    products: [
        .executable(name: "mortise", targets: ["mortise"]),
        .library(name: "Keys", targets: ["Keys"]),
        .library(name: "MortiseClient", targets: ["MortiseClient"]),
        .library(name: "Postgres", targets: ["Postgres"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2.git", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(name: "LibPQ", dependencies: ["CLibPQ"], swiftSettings: pointerSettings),
        .target(
            name: "Postgres",
            dependencies: ["LibPQ", "Locks", deque, log, tracing],
            swiftSettings: pointerSettings
        ),
        .systemLibrary(name: "CLinux"),
        .target(name: "LocalPostgres", dependencies: ["CLinux", log, subprocess], swiftSettings: settings),
        .target(name: "CivilTime", swiftSettings: settings),
        .target(name: "Locks", swiftSettings: settings),
        .target(name: "JSON", swiftSettings: settings),
        .target(
            name: "Connections",
            dependencies: [
                "CivilTime", "Locks", coreMetrics, log, nioCore, nioHPACK, nioHTTP2, nioPosix, nioSSL, nioTLS,
            ],
            swiftSettings: settings
        ),
        .target(name: "Keys", dependencies: ["CivilTime", crypto], swiftSettings: settings),
        .target(
            name: "SQLFiles",
            path: "sql",
            exclude: ["README.md"],
            resources: [.embedInCode("cluster"), .embedInCode("control"), .embedInCode("workspace")],
            swiftSettings: settings
        ),
        .target(name: "Migrations", dependencies: ["Postgres", crypto], swiftSettings: settings),
        .target(
            name: "Tenancy",
            dependencies: [
                "Fence", "JSON", "KeyStore", "Keys", "Locks", "Migrations", "Postgres", "SQLFiles", log,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Backups",
            dependencies: ["JSON", "KeyStore", "Keys", "People", "Postgres", "Tenancy", crypto, nioPosix, subprocess],
            swiftSettings: settings
        ),
        .target(name: "KeyStore", dependencies: ["JSON", "Keys", "Postgres"], swiftSettings: settings),
        .target(name: "Fence", dependencies: ["Locks", "Postgres", log], swiftSettings: settings),
        .target(
            name: "People",
            dependencies: ["KeyStore", "Keys", "Postgres", "Tenancy"],
            swiftSettings: settings
        ),
        .target(
            name: "Verification",
            dependencies: ["Fence", "KeyStore", "Keys", "Locks", "Postgres", "Tenancy", deque, log],
            swiftSettings: settings
        ),
        .target(
            name: "Notices",
            dependencies: [
                "JSON", "KeyStore", "Keys", "Locks", "Postgres", "Tenancy", crypto, log, nioCore, nioHTTP1, nioPosix,
                nioSSL, nioTLS,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Service",
            dependencies: [
                "Fence", "JSON", "KeyStore", "Keys", "Locks", "Notices", "People", "Postgres", "Tenancy", "Traces",
                "Verification", crypto, cryptoExtras, jwtKit, log, nioPosix,
            ],
            swiftSettings: settings
        ),
        .target(name: "Traces", dependencies: ["Locks", log, tracing], swiftSettings: settings),
        .target(
            name: "Endpoints",
            dependencies: ["CivilTime", "JSON", "Traces", coreMetrics, httpTypes, hummingbird, log, nioCore, tracing],
            swiftSettings: settings
        ),
        .target(
            name: "Telemetry",
            dependencies: ["CivilTime", "JSON", "Locks", "Traces", coreMetrics, log, tracing],
            swiftSettings: settings
        ),
        .target(
            name: "Surfaces",
            dependencies: [
                "Endpoints", "JSON", "Keys", "Migrations", "Postgres", "Service", "Tenancy", "Verification",
                coreMetrics, httpTypes, hummingbird, log, nioCore,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "NativeAPI",
            dependencies: [
                "Endpoints", "JSON", "KeyStore", "Keys", "Notices", "People", "Service", "Surfaces", "Tenancy",
                "Verification", coreMetrics, httpTypes, nioCore,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "FluxbaseAPI",
            dependencies: [
                "Endpoints", "JSON", "KeyStore", "Keys", "People", "Service", "Surfaces", "Tenancy", "Verification",
                httpTypes, hummingbird, nioCore,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "ClerkAPI",
            dependencies: [
                "Endpoints", "JSON", "KeyStore", "Keys", "Service", "Surfaces", "Tenancy", "Verification", httpTypes,
                hummingbird, nioCore,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "BoltzAPI",
            dependencies: [
                "Endpoints", "JSON", "KeyStore", "Keys", "Service", "Surfaces", "Tenancy", httpTypes, hummingbird,
                nioCore,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "GatewayAPI",
            dependencies: [
                "CivilTime", "Connections", "Endpoints", "JSON", "KeyStore", "Keys", "Locks", "Postgres", "Service",
                "Surfaces", "Tenancy", "Verification", coreMetrics, httpTypes, lifecycle, log, nioCore, nioHPACK,
                nioHTTP1, nioHTTP2, nioPosix,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Console",
            dependencies: [
                "Endpoints", "JSON", "KeyStore", "Keys", "Migrations", "Notices", "People", "Service", "Surfaces",
                "Tenancy", "Verification", httpTypes, hummingbird, mustache, nioCore,
            ],
            resources: [.embedInCode("Templates"), .embedInCode("Assets")],
            swiftSettings: settings
        ),
        .target(
            name: "Server",
            dependencies: [
                "BoltzAPI", "ClerkAPI", "Connections", "Console", "Endpoints", "FluxbaseAPI", "GatewayAPI", "JSON",
                "KeyStore", "Keys", "Locks", "NativeAPI", "Notices", "Postgres", "Service", "Surfaces", "Telemetry",
                "Tenancy", "Traces", "Verification", asyncHTTPClient, coreMetrics, httpTypes, hummingbird, lifecycle,
                log,
                nioCore, nioHPACK, nioHTTP1, nioHTTP2, nioPosix, tracing, unixSignals,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "MortiseClient",
            dependencies: ["CivilTime", "JSON", asyncHTTPClient, nioCore, nioHTTP1, nioPosix],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "mortise",
            dependencies: [
                "Backups", "CLinux", "CivilTime", "Connections", "Endpoints", "GatewayAPI", "JSON", "KeyStore", "Keys",
                "LocalPostgres", "Locks", "Migrations", "MortiseClient", "Notices", "Postgres", "Server", "Service",
                "Surfaces", "Telemetry", "Tenancy", arguments, asyncHTTPClient, configuration, log, nioCore, nioHTTP1,
                nioPosix, nioSSL, unixSignals, yams,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "TestSupport",
            dependencies: ["LocalPostgres", "Locks", "Postgres", log],
            path: "Tests/TestSupport",
            swiftSettings: settings
        ),
        .target(
            name: "HTTPTestSupport",
            dependencies: ["Locks", nioCore, nioHPACK, nioHTTP1, nioHTTP2, nioPosix, nioSSL],
            path: "Tests/HTTPTestSupport",
            swiftSettings: settings
        ),
        .target(
            name: "ServerTestSupport",
            dependencies: [
                "BoltzAPI", "ClerkAPI", "Connections", "Endpoints", "Fence", "FluxbaseAPI", "GatewayAPI",
                "HTTPTestSupport", "JSON", "KeyStore", "Keys", "Locks", "NativeAPI", "Notices", "Postgres", "Server",
                "Service", "Surfaces", "Telemetry", "Tenancy", "TestSupport", "Verification", asyncHTTPClient, crypto,
                cryptoExtras, httpTypes, lifecycle, log, nioCore, nioHTTP1,
            ],
            path: "Tests/ServerTestSupport",
            swiftSettings: settings
        ),
        .testTarget(name: "CivilTimeTests", dependencies: ["CivilTime", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "CommandLineTests",
            dependencies: [
                "Backups", "Connections", "GatewayAPI", "HTTPTestSupport", "JSON", "Keys", "LocalPostgres", "Locks",
                "Migrations", "MortiseClient", "Notices", "Postgres", "SQLFiles", "Server", "Service", "Surfaces",
                "Telemetry", "Tenancy", "TestSupport", "mortise", asyncHTTPClient,
                log, nioCore, nioHTTP1, nioPosix, nioSSL, subprocess,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ConnectionsTests",
            dependencies: ["Connections", "TestSupport", coreMetrics, nioCore, nioEmbedded, nioHTTP2],
            swiftSettings: settings
        ),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "CivilTime", "Console", "Endpoints", "GatewayAPI", "JSON", "KeyStore", "Keys", "Service", "Surfaces",
                "Tenancy", "Traces", httpTypes, nioCore,
            ],
            path: "Fuzz/Targets",
            swiftSettings: settings
        ),
        .testTarget(
            name: "FenceTests",
            dependencies: [
                "Fence", "LocalPostgres", "Locks", "Postgres", "SQLFiles", "TestSupport", log,
            ],
            swiftSettings: settings
        ),
        .testTarget(name: "FuzzCorpusTests", dependencies: ["FuzzTargets"], swiftSettings: settings),
        .testTarget(name: "JSONTests", dependencies: ["JSON"], swiftSettings: settings),
        .testTarget(name: "KeyStoreTests", dependencies: ["KeyStore"], swiftSettings: settings),
        .testTarget(name: "KeysTests", dependencies: ["Keys", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "LocalPostgresTests",
            dependencies: ["LocalPostgres", "TestSupport", log, subprocess],
            swiftSettings: settings
        ),
        .testTarget(
            name: "MigrationsTests",
            dependencies: ["Locks", "Migrations", "Postgres", "SQLFiles", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "MortiseClientTests",
            dependencies: [
                "HTTPTestSupport", "JSON", "Locks", "MortiseClient", "ServerTestSupport", "TestSupport",
                asyncHTTPClient,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "PostgresTests",
            dependencies: [
                "LibPQ", "LocalPostgres", "Locks", "Postgres", "TestSupport", inMemoryTracing, log, subprocess, tracing,
            ],
            swiftSettings: settings
        ),
        .testTarget(name: "TestSupportTests", dependencies: ["Locks", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "NoticesTests",
            dependencies: [
                "HTTPTestSupport", "JSON", "KeyStore", "Keys", "Locks", "Notices", "Postgres", "Server",
                "ServerTestSupport", "Service", "Surfaces", "Tenancy", "TestSupport", "Verification", crypto, nioCore,
                nioHTTP1, nioPosix, nioSSL,
            ],
            swiftSettings: settings
        ),
        .testTarget(name: "RepositoryTests", swiftSettings: settings),
        .testTarget(name: "TracesTests", dependencies: ["Traces"], swiftSettings: settings),
        .testTarget(
            name: "TenancyTests",
            dependencies: [
                "KeyStore", "Keys", "LocalPostgres", "Locks", "Migrations", "Postgres", "SQLFiles", "Tenancy",
                "TestSupport",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ServiceTests",
            dependencies: [
                "JSON", "KeyStore", "Keys", "Locks", "Notices", "People", "Postgres", "Server", "ServerTestSupport",
                "Service", "Tenancy", "TestSupport", log,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "NativeAPITests",
            dependencies: [
                "Endpoints", "HTTPTestSupport", "JSON", "KeyStore", "Keys", "Locks", "NativeAPI", "People", "Postgres",
                "Server", "ServerTestSupport", "Service", "Surfaces", "Telemetry", "Tenancy", "TestSupport",
                "Verification", asyncHTTPClient, httpTypes, log, subprocess,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "FluxbaseAPITests",
            dependencies: [
                "Endpoints", "FluxbaseAPI", "JSON", "Postgres", "Server", "ServerTestSupport", "Service", "TestSupport",
                httpTypes,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ClerkAPITests",
            dependencies: [
                "ClerkAPI", "Endpoints", "JSON", "Server", "ServerTestSupport", "Service", "TestSupport",
                "Verification", httpTypes,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "BoltzAPITests",
            dependencies: [
                "BoltzAPI", "Endpoints", "JSON", "Postgres", "Server", "ServerTestSupport", "Service", "TestSupport",
                httpTypes,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "GatewayAPITests",
            dependencies: [
                "Connections", "GatewayAPI", "HTTPTestSupport", "JSON", "Keys", "Locks", "Postgres", "Server",
                "ServerTestSupport", "Service", "Surfaces", "Tenancy", "TestSupport", "Verification", coreMetrics, log,
                nioCore, nioEmbedded, nioHPACK, nioHTTP2, nioPosix,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "VerificationTests",
            dependencies: [
                "Fence", "KeyStore", "Keys", "Locks", "Postgres", "Tenancy", "TestSupport", "Verification", log,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "BoltzAPI", "ClerkAPI", "Connections", "Endpoints", "Fence", "FluxbaseAPI", "HTTPTestSupport", "JSON",
                "KeyStore", "Keys", "LocalPostgres", "Locks", "NativeAPI", "Postgres", "SQLFiles", "Server",
                "ServerTestSupport", "Service", "Surfaces", "Tenancy", "TestSupport", "Verification", httpTypes, log,
                nioCore, nioHPACK, nioHTTP1, nioHTTP2, nioPosix, subprocess,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "FifthSurfaceTests",
            dependencies: [
                "Endpoints", "JSON", "KeyStore", "Keys", "Server", "ServerTestSupport", "Service", "Surfaces",
                "Tenancy", "TestSupport", "Verification", httpTypes, hummingbird, nioCore,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ConsoleTests",
            dependencies: [
                "HTTPTestSupport", "JSON", "Keys", "Locks", "Notices", "Postgres", "Server", "ServerTestSupport",
                "Service", "Surfaces", "Telemetry", "Tenancy", "TestSupport", asyncHTTPClient, nioCore, nioHTTP1,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EndpointsTests",
            dependencies: [
                "Connections", "Endpoints", "HTTPTestSupport", "JSON", "KeyStore", "Keys", "Locks", "Notices", "Server",
                "ServerTestSupport", "Telemetry", "TestSupport", "Traces", asyncHTTPClient, httpTypes, hummingbird, log,
                nioCore, nioEmbedded, nioHTTP1, tracing,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "TelemetryTests",
            dependencies: [
                "JSON", "Locks", "Server", "ServerTestSupport", "Telemetry", "TestSupport", "Traces", coreMetrics, log,
                tracing,
            ],
            swiftSettings: settings
        ),
    ]
)

// The benchmarks join only when they are asked for: nobody else should have to build them.
if Context.environment["MORTISE_BENCHMARKS"] != nil {
    package.targets += [
        .executableTarget(
            name: "answer-bench",
            dependencies: [httpTypes, hummingbird, nioCore],
            path: "Benchmarks/answer-bench",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "key-cost",
            dependencies: ["JSON", "KeyStore", "Keys", "Verification", log],
            path: "Benchmarks/key-cost",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "look-up-cost",
            dependencies: ["Postgres", log],
            path: "Benchmarks/look-up-cost",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "mortise-bench",
            dependencies: [
                "KeyStore", "Keys", "LocalPostgres", "Postgres", arguments, asyncHTTPClient, log, nioCore, nioHTTP1,
                subprocess,
            ],
            path: "Benchmarks/mortise-bench",
            swiftSettings: settings
        ),
    ]
}

// The documentation plugin joins only when the documentation is built.
if Context.environment["MORTISE_DOCS"] != nil {
    package.dependencies.append(.package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"))
}

// The program that runs the fuzz targets joins only when it is asked for. It is linked with libFuzzer: see scripts/fuzz.sh.
if Context.environment["MORTISE_FUZZ"] != nil {
    package.targets += [
        .systemLibrary(name: "CFuzzer", path: "Fuzz/CFuzzer"),
        .executableTarget(
            name: "mortise-fuzz",
            dependencies: ["CFuzzer", "FuzzTargets"],
            path: "Fuzz/mortise-fuzz",
            swiftSettings: settings
        ),
    ]
}
